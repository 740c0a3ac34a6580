namespace Weft.Proxy.Config.Inspection;

/// <summary>One request or connection as a node's proxy saw it, with what was decided about it. Never a header field, a query or a body: they may hold secrets.</summary>
public sealed record ObservedRequest
{
    public DateTimeOffset Time { get; init; }

    public string Node { get; init; } = "";

    /// <summary>`out`: seen where it was sent; `in`: seen where it was received; `door`: came through the front door.</summary>
    public string Side { get; init; } = "";

    public ObservedPeer Source { get; init; } = new();

    public ObservedPeer Destination { get; init; } = new();

    /// <summary>Empty: a connection of which no requests are known.</summary>
    public string Method { get; init; } = "";

    public string Authority { get; init; } = "";

    /// <summary>Without its query; where it had one, `?` stands at the end.</summary>
    public string Path { get; init; } = "";

    /// <summary>`HTTP/1.1`, `HTTP/2`, `TCP`.</summary>
    public string Protocol { get; init; } = "";

    /// <summary>0: none was sent.</summary>
    public int Status { get; init; }

    public int? GrpcStatus { get; init; }

    /// <summary>Envoy's letters; empty: nothing was wrong.</summary>
    public IReadOnlyList<string> Flags { get; init; } = [];

    /// <summary>Why the proxy answered itself, in a word: `policy_denied`.</summary>
    public string? Detail { get; init; }

    public double Milliseconds { get; init; }

    /// <summary>Until the endpoint's answer began; null: none did.</summary>
    public double? UpstreamMilliseconds { get; init; }

    public long BytesReceived { get; init; }

    public long BytesSent { get; init; }

    public string? RequestId { get; init; }

    public string? TraceId { get; init; }

    public string? VirtualHost { get; init; }

    /// <summary>`namespace/name/http[0]` of a VirtualService's rule.</summary>
    public string? Route { get; init; }

    public string? Cluster { get; init; }

    /// <summary>The policy that allowed or refused it.</summary>
    public string? Policy { get; init; }

    /// <summary>Which of the policy's rules, from 0 on; null: none of them.</summary>
    public int? PolicyRule { get; init; }

    /// <summary>A policy on trial that would have refused it.</summary>
    public string? DryRunPolicy { get; init; }

    /// <summary>`mtls`; `local`: it did not leave its node; `tls`: the workloads' or the cluster's own; `plain`; null: it went nowhere.</summary>
    public string? Security { get; init; }

    public IReadOnlyList<ObservedTry> Tries { get; init; } = [];

    public bool IsHttp => Protocol != "TCP";

    /// <summary>It had no answer, one of the server's errors, or one of the proxy's own.</summary>
    public bool IsFailed => Status >= 500 || (IsHttp && Status == 0) || GrpcStatus is > 0 || Flags.Any(flag => flag != "DI") || Detail?.StartsWith("policy_", StringComparison.Ordinal) == true || (!IsHttp && Detail is not null);
}

public sealed record ObservedPeer
{
    public string? Namespace { get; init; }

    public string? Pod { get; init; }

    /// <summary>Of a Deployment's pods its name, and so on.</summary>
    public string? Workload { get; init; }

    public string? Address { get; init; }

    /// <summary>`spiffe://...`</summary>
    public string? Identity { get; init; }

    /// <summary>That was called: `orders.shop.svc.cluster.local`.</summary>
    public string? Host { get; init; }
}

/// <param name="Outcome">`answered`, `connect failed`, `reset`, `timed out`, `pool full`, `refused`.</param>
public sealed record ObservedTry(string Endpoint, string Outcome, int? Status, double Milliseconds);
