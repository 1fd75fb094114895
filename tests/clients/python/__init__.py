"""Scripts that send the workload by Python libraries; each runs in a process of its own."""
