using System.Threading.Channels;
using Weft.Api.Streams;

namespace Weft.Node.Runtime;

/// <summary>
/// What runs pods: sandboxes (the pod's namespaces and address) and containers in them. Shaped like Kubernetes' CRI, so that a containerd
/// driver fits beside the process driver. Ids are the runtime's; everything needed after a restart of the agent comes back from <see cref="ListAsync"/>.
/// </summary>
internal interface IPodRuntime
{
    /// <summary>The scheme of `containerID` in a status: `process`.</summary>
    string Name { get; }

    /// <summary>Every sandbox and container of this node, also those that an earlier run of the agent started.</summary>
    Task<RuntimeSnapshot> ListAsync(CancellationToken cancellationToken);

    /// <exception cref="RuntimeException">Why it could not be made; nothing of it is left.</exception>
    Task<SandboxInfo> CreateSandboxAsync(SandboxSpec spec, CancellationToken cancellationToken);

    /// <summary>Kills what still runs in it and releases namespaces, mounts and address; the records of its containers stay. Unknown ids are fine.</summary>
    Task StopSandboxAsync(string sandboxId, CancellationToken cancellationToken);

    /// <summary>Stops it and removes all traces, those of its containers too. Unknown ids are fine.</summary>
    Task RemoveSandboxAsync(string sandboxId, CancellationToken cancellationToken);

    /// <exception cref="RuntimeException">Why it could not be made.</exception>
    Task<ContainerInfo> CreateContainerAsync(string sandboxId, ContainerSpec spec, CancellationToken cancellationToken);

    Task<ContainerInfo> StartContainerAsync(string containerId, CancellationToken cancellationToken);

    /// <summary>Sends the stop signal, after the grace SIGKILL; returns when the container has ended.</summary>
    Task StopContainerAsync(string containerId, TimeSpan grace, CancellationToken cancellationToken);

    /// <summary>Removes an ended container; its log stays.</summary>
    Task RemoveContainerAsync(string containerId, CancellationToken cancellationToken);

    /// <summary>Runs a command in a running container. Cancellation kills the command.</summary>
    /// <exception cref="RuntimeException">The container does not run, or the command could not start.</exception>
    Task<int> ExecAsync(string containerId, IReadOnlyList<string> command, ContainerStreams streams, CancellationToken cancellationToken);

    /// <summary>Connects to the input and output of the container's first process.</summary>
    Task AttachAsync(string containerId, ContainerStreams streams, CancellationToken cancellationToken);

    /// <summary>Opens a TCP connection to a port on the sandbox's loopback.</summary>
    Task<Stream> ConnectAsync(string sandboxId, int port, CancellationToken cancellationToken);

    /// <summary>What a running container has written to the disk beside its volumes and its log, as of some seconds ago. 0 where its root is not on a disk.</summary>
    Task<long> WrittenBytesAsync(string containerId, CancellationToken cancellationToken) => Task.FromResult(0L);

    /// <summary>Writes the container's log to a new file from now on; the caller has renamed the old one.</summary>
    Task ReopenLogAsync(string containerId, CancellationToken cancellationToken);

    /// <summary>Uids of pods in which a container has ended. Not bounded: one entry per end of a container, and one reader that only queues keys.</summary>
    ChannelReader<string> Events { get; }
}

internal sealed class RuntimeException(RuntimeError error, string message, Exception? inner = null) : Exception(message, inner)
{
    public RuntimeError Error => error;
}

internal enum RuntimeError { Sandbox, Image, Create, Start, NotFound, NotRunning, Connect }

internal sealed record RuntimeSnapshot(IReadOnlyList<SandboxInfo> Sandboxes, IReadOnlyList<ContainerInfo> Containers);

internal sealed record SandboxSpec
{
    public required string PodUid { get; init; }
    public required string Namespace { get; init; }
    public required string Name { get; init; }

    /// <summary>At most 63 bytes.</summary>
    public required string Hostname { get; init; }
    public bool HostNetwork { get; init; }
    public bool HostIpc { get; init; }
    public bool HostPid { get; init; }

    /// <summary>The handler of the pod's RuntimeClass: `process`, or empty for containers of images.</summary>
    public string RuntimeHandler { get; init; } = "";

    /// <summary>One more for each sandbox of the same pod.</summary>
    public int Attempt { get; init; }
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Host directory of the pod's log files; container logs lie below it.</summary>
    public string LogDirectory { get; init; } = "";
    public IReadOnlyDictionary<string, string> Sysctls { get; init; } = new Dictionary<string, string>();

    /// <summary>Containers share one process namespace (`shareProcessNamespace`).</summary>
    public bool SharedPid { get; init; }
}

internal sealed record SandboxInfo
{
    public required string Id { get; init; }
    public required SandboxSpec Spec { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Empty with the host's network.</summary>
    public IReadOnlyList<string> Ips { get; init; } = [];

    /// <summary>False when its namespaces are gone (stopped, a reboot): it can only be removed.</summary>
    public bool Ready { get; init; } = true;
}

internal enum RunState { Created, Running, Exited }

internal sealed record ContainerInfo
{
    public required string Id { get; init; }
    public required string SandboxId { get; init; }
    public required string PodUid { get; init; }
    public required string Name { get; init; }
    public required int Attempt { get; init; }
    public required string SpecHash { get; init; }
    public required string LogPath { get; init; }
    public required RunState State { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
    public int ExitCode { get; init; }

    /// <summary>Why it ended: Completed, Error, OOMKilled, StartError, ContainerStatusUnknown.</summary>
    public string? Reason { get; init; }
    public string? Message { get; init; }

    /// <summary>Host path of the file over `terminationMessagePath`.</summary>
    public string? TerminationMessageFile { get; init; }
}

internal sealed record ContainerSpec
{
    public required string Name { get; init; }
    public required int Attempt { get; init; }
    public required string SpecHash { get; init; }

    /// <summary>In place of the image's entry point; empty: the image's own.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>After the command; with neither, the image's own. A process pod has no image: its factory puts all words into the command.</summary>
    public IReadOnlyList<string> Args { get; init; } = [];

    /// <summary>The runtime's id of a present image; null: a command of this machine.</summary>
    public string? ImageId { get; init; }
    public required string LogPath { get; init; }
    public string? WorkingDirectory { get; init; }
    public IReadOnlyList<KeyValuePair<string, string>> Environment { get; init; } = [];
    public IReadOnlyList<ContainerMount> Mounts { get; init; } = [];

    /// <summary>A part that is null is the image's.</summary>
    public ProcessIdentity User { get; init; } = ProcessIdentity.Nobody;

    /// <summary>The whole set, not a difference.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = [];
    public bool NoNewPrivileges { get; init; } = true;
    public bool ReadOnlyRoot { get; init; }

    /// <summary>The runtime's default seccomp profile; false: none.</summary>
    public bool DefaultSeccomp { get; init; }

    /// <summary>`procMount: Unmasked`: nothing of /proc is hidden or read only.</summary>
    public bool UnmaskedProc { get; init; }

    /// <summary>Id of a container of the same sandbox whose process namespace this one joins (`kubectl debug --target`).</summary>
    public string? ProcessNamespaceOf { get; init; }
    public bool Privileged { get; init; }
    public bool Stdin { get; init; }
    public bool StdinOnce { get; init; }
    public bool Terminal { get; init; }
    public ResourceLimits Limits { get; init; } = new();
    public int OomScoreAdjust { get; init; }
    public int StopSignal { get; init; } = 15;
    public string? TerminationMessageFile { get; init; }
}

/// <param name="Propagation">`rprivate` (None), `rslave` (HostToContainer), `rshared` (Bidirectional).</param>
internal sealed record ContainerMount(string HostPath, string ContainerPath, bool ReadOnly, string Propagation = "rprivate");

internal sealed record ProcessIdentity(uint? Uid, uint? Gid, IReadOnlyList<uint> Groups)
{
    /// <summary>`nobody`: a process pod is a command of this machine, so it has no rights of its own unless the pod asks for a user.</summary>
    public static readonly ProcessIdentity Nobody = new(65534, 65534, []);
}

/// <summary>Null: no limit.</summary>
internal sealed record ResourceLimits
{
    public long? MemoryBytes { get; init; }

    /// <summary>Weight by request: 1024 is one core.</summary>
    public long? CpuShares { get; init; }

    /// <summary>Microseconds of CPU time in 100 ms.</summary>
    public long? CpuQuota { get; init; }
    public long? Pids { get; init; }
}
