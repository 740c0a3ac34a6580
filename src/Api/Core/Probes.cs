using Weft.Api.Schemas;

namespace Weft.Api.Core;

/// <summary>A check of a container: exactly one action.</summary>
[Definition("io.k8s.api.core.v1.Probe")]
public sealed record Probe
{
    /// <summary>Passes when the command exits with 0.</summary>
    public ExecAction? Exec { get; init; }

    /// <summary>Passes when the answer is 200 to 399.</summary>
    public HTTPGetAction? HttpGet { get; init; }

    /// <summary>Passes when a connection opens.</summary>
    public TCPSocketAction? TcpSocket { get; init; }

    /// <summary>Passes when the gRPC health service says SERVING.</summary>
    public GRPCAction? Grpc { get; init; }

    /// <summary>Seconds after the start before the first check.</summary>
    public int? InitialDelaySeconds { get; init; }

    /// <summary>Seconds after which a check has failed. 1 by default.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>Seconds between checks. 10 by default.</summary>
    public int? PeriodSeconds { get; init; }

    /// <summary>Checks in a row that must pass after a failure. 1 by default.</summary>
    public int? SuccessThreshold { get; init; }

    /// <summary>Checks in a row that must fail. 3 by default.</summary>
    public int? FailureThreshold { get; init; }

    /// <summary>Grace for a container killed by this probe, instead of the pod's.</summary>
    public long? TerminationGracePeriodSeconds { get; init; }
}

/// <summary>A command in the container.</summary>
[Definition("io.k8s.api.core.v1.ExecAction")]
public sealed record ExecAction
{
    /// <summary>Program and arguments; no shell.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<string> Command { get; init; } = [];
}

/// <summary>An HTTP GET.</summary>
[Definition("io.k8s.api.core.v1.HTTPGetAction")]
public sealed record HTTPGetAction
{
    /// <summary>Path of the request. / by default.</summary>
    public string? Path { get; init; }

    /// <summary>Number or name of the port.</summary>
    [Must] public IntOrString Port { get; init; }

    /// <summary>Host to connect to; the pod by default.</summary>
    public string? Host { get; init; }

    /// <summary>HTTP or HTTPS. HTTP by default.</summary>
    [OneOf("HTTP", "HTTPS")] public string? Scheme { get; init; }

    /// <summary>Headers of the request.</summary>
    [List(ListType.Atomic)] public IReadOnlyList<HTTPHeader> HttpHeaders { get; init; } = [];
}

/// <summary>A header of a request.</summary>
[Definition("io.k8s.api.core.v1.HTTPHeader")]
public sealed record HTTPHeader
{
    /// <summary>Name of the header.</summary>
    [Must] public string Name { get; init; } = "";

    /// <summary>Its value.</summary>
    [Must] public string Value { get; init; } = "";
}

/// <summary>A TCP connection.</summary>
[Definition("io.k8s.api.core.v1.TCPSocketAction")]
public sealed record TCPSocketAction
{
    /// <summary>Number or name of the port.</summary>
    [Must] public IntOrString Port { get; init; }

    /// <summary>Host to connect to; the pod by default.</summary>
    public string? Host { get; init; }
}

/// <summary>A gRPC health check.</summary>
[Definition("io.k8s.api.core.v1.GRPCAction")]
public sealed record GRPCAction
{
    /// <summary>Port number.</summary>
    [Must] public int Port { get; init; }

    /// <summary>Service named in the request; empty asks for the whole server.</summary>
    public string? Service { get; init; }
}

/// <summary>Actions around a container's life.</summary>
[Definition("io.k8s.api.core.v1.Lifecycle")]
public sealed record Lifecycle
{
    /// <summary>Right after the start; its failure ends the container.</summary>
    public LifecycleHandler? PostStart { get; init; }

    /// <summary>Before the stop signal; counts against the grace period.</summary>
    public LifecycleHandler? PreStop { get; init; }

    /// <summary>Signal that stops the container, instead of the image's.</summary>
    public string? StopSignal { get; init; }
}

/// <summary>One action.</summary>
[Definition("io.k8s.api.core.v1.LifecycleHandler")]
public sealed record LifecycleHandler
{
    /// <summary>A command in the container.</summary>
    public ExecAction? Exec { get; init; }

    /// <summary>An HTTP GET.</summary>
    public HTTPGetAction? HttpGet { get; init; }

    /// <summary>Deprecated; kept for old objects.</summary>
    public TCPSocketAction? TcpSocket { get; init; }

    /// <summary>A pause.</summary>
    public SleepAction? Sleep { get; init; }
}

/// <summary>A pause.</summary>
[Definition("io.k8s.api.core.v1.SleepAction")]
public sealed record SleepAction
{
    /// <summary>Length of the pause.</summary>
    [Must] public long Seconds { get; init; }
}
