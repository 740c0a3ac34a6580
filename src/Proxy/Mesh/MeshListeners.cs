using Weft.Proxy.Config.Model;

namespace Weft.Proxy.Mesh;

/// <summary>How captured connections are read. Within a mesh a proxy is in nobody's way: paths and fields are the workloads' own.</summary>
internal static class MeshListeners
{
    private static readonly HttpSettings Http = new()
    {
        // As in Istio (pathNormalization BASE): dot segments are taken out, the rest is left to the workloads.
        Path = new PathSettings { EscapedSlashes = EscapedSlashes.Keep, MergeSlashes = false },
        // Envoy's limit of 60 KB for a head.
        MaxRequestLineBytes = 32 << 10, MaxHeaderBytes = 60 << 10,
        StreamIdleTimeout = TimeSpan.Zero,
        // Of clients that pool connections; Envoy's 1 h.
        KeepAliveTimeout = TimeSpan.FromHours(1),
        StripHeaders = [],
    };

    public static readonly ListenerConfig Outbound = new() { Name = "outbound", Http = Http };

    /// <summary>What a workload is told about the other side's certificate is the mesh's alone to say.</summary>
    public static readonly ListenerConfig Inbound = new() { Name = "inbound", Http = Http with { StripHeaders = ["x-forwarded-client-cert"] } };
}
