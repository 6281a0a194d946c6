"""Tests of IA.finetuning."""
