"""Influence: which training works moved a phrase's probability, and how far that can be trusted.

Three tiers, from words to cause: `lexical` counts shared runs of notes, `gradients` compares
gradients at the finished weights, `unrolled` differentiates through the whole of training.
`truth` measures all of them against models trained without some of their works.
"""
