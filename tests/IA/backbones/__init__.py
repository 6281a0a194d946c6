"""Tests of IA.backbones."""
