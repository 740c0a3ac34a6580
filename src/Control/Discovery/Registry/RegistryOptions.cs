namespace Weft.Control.Discovery.Registry;

/// <summary>Who the registry is for its clients, and how much it takes.</summary>
public sealed record RegistryOptions
{
    /// <summary>The node that registrations through the agent's paths are on.</summary>
    public required string NodeName { get; init; }

    /// <summary>Where that node is reached by pods and by processes of the machine.</summary>
    public required string NodeAddress { get; init; }

    /// <summary>Consul's own default name.</summary>
    public string Datacenter { get; init; } = "dc1";

    /// <summary>Consul's limit of a value.</summary>
    public int MaxValueBytes { get; init; } = 512 * 1024;

    /// <summary>Ten times the 10,000 endpoints that a cluster is measured with.</summary>
    public int MaxInstances { get; init; } = 100_000;

    /// <summary>With values of a usual kilobyte: 100 MB.</summary>
    public int MaxValues { get; init; } = 100_000;

    public int MaxSessions { get; init; } = 10_000;

    /// <summary>Changes that wait for the disk; further ones wait before they are read.</summary>
    public int MaxPending { get; init; } = 4096;

    /// <summary>How often the registry says that it lives: a status may be held for so much longer after a crash than it was right.</summary>
    public TimeSpan AlivePeriod { get; init; } = TimeSpan.FromSeconds(10);
}
