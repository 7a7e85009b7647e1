"""What a MES tells of production: orders on units, quantities, states; and what follows from it in any order of telling."""
