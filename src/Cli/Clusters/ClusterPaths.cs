using System.Globalization;
using System.Text.RegularExpressions;

namespace Weft.Cli.Clusters;

/// <summary>Where one cluster keeps its state. Two names never share a path, so that several clusters live on one machine.</summary>
public sealed partial record ClusterPaths(string Name, string DataDir, string RunDir)
{
    public const string DefaultName = "weft";

    /// <summary>Of a cluster's data, unless it was told another.</summary>
    internal const string UsualPlace = "/var/lib";

    /// <summary>Of what a cluster has while it is up.</summary>
    internal const string RunPlace = "/run";

    public string Settings => Path.Combine(DataDir, "cluster.json");
    public string Database => Path.Combine(DataDir, "store", "weft.db");
    public string Pki => Path.Combine(DataDir, "pki");
    public string Kubeconfig => Path.Combine(DataDir, "kubeconfig");
    public string Log => Path.Combine(DataDir, "log", "weft.log");
    public string Node => Path.Combine(DataDir, "node");

    /// <summary>There when this is a machine that joined a cluster, instead of <see cref="Settings"/>.</summary>
    public string AgentSettings => Path.Combine(DataDir, "agent.json");

    /// <summary>The further nodes of this machine, a directory for each.</summary>
    public string Nodes => Path.Combine(DataDir, "nodes");

    /// <summary>Node 2, 3, ... of this machine: what it would be on a machine of its own, below this cluster's. A dot is in no cluster's name.</summary>
    public ClusterPaths LocalNode(int number) => For(FormattableString.Invariant($"{Name}.{number}"), Path.Combine(Nodes, number.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Images of the cluster's registry.</summary>
    public string Registry => Path.Combine(DataDir, "registry");

    /// <summary>The password of whoever pushes images; for root alone.</summary>
    public string RegistryPassword => Path.Combine(DataDir, "registry-password");

    /// <summary>The token of whoever changes the registry of services from elsewhere than this machine; for root alone.</summary>
    public string DiscoveryToken => Path.Combine(DataDir, "discovery-token");

    /// <summary>The demo's programs: beside the data, which no pod may look into. A dot is in no cluster's name.</summary>
    public string DemoApps => DataDir + ".demo";

    /// <summary>Of the node's proxy: how it reaches the server, and below it what it keeps itself.</summary>
    public string Proxy => Path.Combine(DataDir, "proxy");

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
        return new(name, Path.GetFullPath(dataDir ?? Path.Combine(UsualPlace, leaf)), Path.Combine(RunPlace, leaf));
    }

    /// <summary>Of the cluster with this run directory.</summary>
    internal static string NameOf(string runDir) => Path.GetFileName(runDir) is var leaf && leaf == "weft" ? DefaultName : leaf["weft-".Length..];

    /// <summary>The name becomes part of interface, cgroup and nft table names: 1 to 20 of a-z, 0-9 and '-' (RFC 1123 label).</summary>
    public static string? WhyBadName(string name) => ValidName().IsMatch(name)
        ? null
        : $"'{name}' is no cluster name: use 1 to 20 lower-case letters, digits or '-', beginning and ending with a letter or digit";

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?$", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex ValidName();
}
