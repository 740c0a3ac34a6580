using Weft.Node.Network;

namespace Weft.Node.Runtime.Cri;

/// <summary>Where every image is asked for first; what is not there is asked of the registry that its name says.</summary>
/// <param name="Server">`http://127.0.0.1:5000`, or an https address with a certificate authority and a client certificate.</param>
public sealed record RegistryMirror(string Server, string? CaFile = null, string? ClientCertFile = null, string? ClientKeyFile = null);

internal sealed record CriRuntimeOptions
{
    /// <summary>Names the cgroup parent: two clusters on one machine do not meet.</summary>
    public required string ClusterName { get; init; }

    /// <summary>Survives a reboot: images, and what containers wrote.</summary>
    public required string DataDir { get; init; }

    /// <summary>Sockets, mounts, namespaces. A socket path has at most 107 bytes, so it should be short.</summary>
    public required string RunDir { get; init; }

    /// <summary>The network of process pods: both take their addresses from one place.</summary>
    public required CniOptions Network { get; init; }
    public RegistryMirror? Mirror { get; init; }

    /// <summary>Holds a pod's namespaces.</summary>
    public string SandboxImage { get; init; } = "weft.dev/pause:1";
    public string Containerd { get; init; } = FirstOf("/usr/bin/containerd", "/usr/local/bin/containerd");

    /// <summary>What makes containers for containerd. crun where it is: a pod starts in two thirds of runc's time (decision 0009).</summary>
    public string Handler { get; init; } = FirstOf([.. Crun, .. Runc]);

    /// <summary>By the name that a RuntimeClass gives (`handler: runc`); the default is <see cref="Handler"/>.</summary>
    public IReadOnlyDictionary<string, string> NamedHandlers { get; init; } = new[] { ("crun", FirstOf(Crun)), ("runc", FirstOf(Runc)) }.Where(h => File.Exists(h.Item2)).ToDictionary();

    /// <summary>Handlers of RuntimeClasses that it answers to; the empty one is that of pods without a class.</summary>
    public IReadOnlySet<string> Handlers => NamedHandlers.Keys.Append("").ToHashSet();

    /// <summary>Sandboxes and containers being made at once. More only adds waiting.</summary>
    public int ParallelStarts { get; init; } = 8;

    private static readonly string[] Crun = ["/usr/bin/crun", "/usr/local/bin/crun"], Runc = ["/usr/sbin/runc", "/usr/bin/runc", "/usr/local/sbin/runc"];

    private static string FirstOf(params string[] places) => places.FirstOrDefault(File.Exists) ?? places[0];
}

/// <summary>Where things stand on disk. containerd's four own places are all named, or two of them on one machine would share containers.</summary>
internal sealed record CriPaths(CriRuntimeOptions Options)
{
    public string Root => Path.Combine(Options.DataDir, "containerd");
    public string State => Path.Combine(Options.RunDir, "ctd");
    public string Socket => Path.Combine(State, "c.sock");
    public string Opt => Path.Combine(Root, "opt");
    public string Config => Path.Combine(Root, "config.toml");
    public string CniConfig => Path.Combine(Root, "cni");
    public string ConfList => Path.Combine(CniConfig, "10-weft.conflist");
    public string Certs => Path.Combine(Root, "certs.d");
    public string Hosts => Path.Combine(Certs, "_default", "hosts.toml");
    public string Log => Path.Combine(Root, "containerd.log");
    public string HandlerState => Path.Combine(State, "oci");
    public string Execs => Path.Combine(State, "x");
    public string CgroupParent => "/weft-" + Options.ClusterName;
}
