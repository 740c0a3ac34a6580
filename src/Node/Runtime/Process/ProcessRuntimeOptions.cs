namespace Weft.Node.Runtime.Process;

internal sealed record ProcessRuntimeOptions
{
    /// <summary>Names the cgroup parent, the CNI network and the nft table: two clusters on one machine do not meet.</summary>
    public required string ClusterName { get; init; }

    /// <summary>Survives a reboot: logs, addresses given out.</summary>
    public required string DataDir { get; init; }

    /// <summary>Bundles, namespaces, sockets. A socket path has at most 107 bytes, so it should be short.</summary>
    public required string RunDir { get; init; }
    public required string PodCidr { get; init; }

    /// <summary>Addresses that are not masqueraded: all pods of all nodes.</summary>
    public required string ClusterCidr { get; init; }
    /// <summary>Debian's place, then that of podman's packages elsewhere.</summary>
    public string Conmon { get; init; } = FirstOf("/usr/bin/conmon", "/usr/local/bin/conmon", "/usr/libexec/podman/conmon", "/usr/lib/podman/conmon");
    public string Crun { get; init; } = FirstOf("/usr/bin/crun", "/usr/local/bin/crun");

    /// <summary>Where CNI plugins are looked for: upstream's place, Debian's, Fedora's.</summary>
    public IReadOnlyList<string> CniPath { get; init; } = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"];

    /// <summary>Directories that no pod may look into, beyond <see cref="DataDir"/> and <see cref="RunDir"/>.</summary>
    public IReadOnlyList<string> HiddenPaths { get; init; } = [];

    /// <summary>Starts in flight. Each is a few milliseconds of a core in conmon and crun, so more only adds waiting.</summary>
    public int ParallelStarts { get; init; } = 8;

    private static string FirstOf(params string[] places) => places.FirstOrDefault(File.Exists) ?? places[0];
}

/// <summary>Where things stand on disk.</summary>
internal sealed record ProcessPaths(ProcessRuntimeOptions Options)
{
    public string Sandboxes => Path.Combine(Options.RunDir, "s");
    public string Containers => Path.Combine(Options.RunDir, "c");
    public string Exits => Path.Combine(Options.RunDir, "exits");
    public string CrunState => Path.Combine(Options.RunDir, "crun");
    public string Ipam => Path.Combine(Options.DataDir, "cni");
    public string Temporary(string sandboxId) => Path.Combine(Options.DataDir, "tmp", sandboxId);

    /// <summary>The /tmp of one run of a container: empty at its start, as in a container of an image.</summary>
    public string Temporary(string sandboxId, string containerId) => Path.Combine(Temporary(sandboxId), containerId);
    public string CniCache => Path.Combine(Options.DataDir, "cni-results");
    public string BootId => Path.Combine(Options.DataDir, "boot-id");
    public string CgroupParent => "/weft-" + Options.ClusterName;
    public string Sandbox(string id) => Path.Combine(Sandboxes, id);
    public string Container(string id) => Path.Combine(Containers, id);

    /// <summary>What a container writes outside its volumes: on the sandbox's tmpfs.</summary>
    public string Scratch(string sandboxId, string containerId) => Path.Combine(Sandbox(sandboxId), "scratch", containerId);
    public string Netns(string sandboxId) => Path.Combine(Sandbox(sandboxId), "net");
}
