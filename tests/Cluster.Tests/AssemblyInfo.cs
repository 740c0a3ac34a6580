// Each cluster changes the machine (routes, forwarding, cgroups) and is looked at for what it leaves: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
