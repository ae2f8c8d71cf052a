"""Many small trainings that every choice of this project is judged by: `python -m
benchmarks.yardstick`."""
