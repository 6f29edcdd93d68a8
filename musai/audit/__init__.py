"""What can be audited: the human share of a piece, how much alike takes are, what a model has by heart."""
