using System.Text.RegularExpressions;

namespace Weft.Cli.Clusters;

/// <summary>Where one cluster keeps its state. Two names never share a path, so that several clusters live on one machine.</summary>
public sealed partial record ClusterPaths(string Name, string DataDir, string RunDir)
{
    public const string DefaultName = "weft";

    public string Settings => Path.Combine(DataDir, "cluster.json");
    public string Database => Path.Combine(DataDir, "store", "weft.db");
    public string Pki => Path.Combine(DataDir, "pki");
    public string Kubeconfig => Path.Combine(DataDir, "kubeconfig");
    public string Log => Path.Combine(DataDir, "log", "weft.log");
    public string Node => Path.Combine(DataDir, "node");
    /// <summary>Images of the cluster's registry.</summary>
    public string Registry => Path.Combine(DataDir, "registry");

    /// <summary>The password of whoever pushes images; for root alone.</summary>
    public string RegistryPassword => Path.Combine(DataDir, "registry-password");
    public string DemoApps => Path.Combine(DataDir, "demo");

    /// <summary>Identity of the supervisor, written by it.</summary>
    public string SupervisorFile => Path.Combine(RunDir, "supervisor.json");

    /// <summary>What the supervisor's children are and how they do, written by it (<see cref="Supervision.ChildState"/>).</summary>
    public string ChildrenFile => Path.Combine(RunDir, "children.json");

    /// <summary>Identity and progress of the server, written by it.</summary>
    public string ServerFile => Path.Combine(RunDir, "server.json");

    /// <summary>The default cluster has the plain paths of the documentation; another name is part of its paths.</summary>
    public static ClusterPaths For(string name, string? dataDir)
    {
        var leaf = name == DefaultName ? "weft" : "weft-" + name;
        return new(name, Path.GetFullPath(dataDir ?? Path.Combine("/var/lib", leaf)), Path.Combine("/run", leaf));
    }

    /// <summary>The name becomes part of interface, cgroup and nft table names: 1 to 20 of a-z, 0-9 and '-' (RFC 1123 label).</summary>
    public static string? WhyBadName(string name) => ValidName().IsMatch(name)
        ? null
        : $"'{name}' is no cluster name: use 1 to 20 lower-case letters, digits or '-', beginning and ending with a letter or digit";

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 100)]
    private static partial Regex ValidName();
}
