namespace Weft.Proxy.Config.Model;

/// <summary>Endpoints are asked whether they are well. The numbers are those of Kubernetes' readiness probes where they have one.</summary>
public abstract record HealthCheckConfig
{
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Checks in a row that put a well endpoint out.</summary>
    public int Unhealthy { get; init; } = 3;

    /// <summary>Checks in a row that bring it back. The first check of a new endpoint decides at once.</summary>
    public int Healthy { get; init; } = 1;

    /// <summary>An endpoint that is out is asked this often; null: as all.</summary>
    public TimeSpan? UnhealthyInterval { get; init; }

    /// <summary>Share of the interval that is added by chance, so that many proxies do not ask at the same moment.</summary>
    public double Jitter { get; init; } = 0.1;

    /// <summary>Another port than that of requests; null: the same.</summary>
    public int? Port { get; init; }
}

public sealed record HttpHealthCheck : HealthCheckConfig
{
    public string Path { get; init; } = "/";

    /// <summary>Null: the endpoint's host name or address.</summary>
    public string? Host { get; init; }

    public string Method { get; init; } = "GET";

    public ValueList<HeaderValue> Headers { get; init; } = [];

    /// <summary>200 to 399, as kubelet has it.</summary>
    public int ExpectFrom { get; init; } = 200;

    public int ExpectTo { get; init; } = 399;
}

/// <summary>A connection can be made.</summary>
public sealed record TcpHealthCheck : HealthCheckConfig;

/// <summary>grpc.health.v1.Health/Check.</summary>
public sealed record GrpcHealthCheck : HealthCheckConfig
{
    public string Service { get; init; } = "";
}
