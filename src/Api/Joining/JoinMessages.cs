using System.Text.Json.Serialization;

namespace Weft.Api.Joining;

/// <summary>Paths of the API server for nodes that join, and for those that renew their certificate.</summary>
public static class JoinPaths
{
    /// <summary>The authority's certificate: public, a joining node compares it with its token.</summary>
    public const string Authority = "/weft.dev/join/v1/ca";
    public const string Join = "/weft.dev/join/v1";
    public const string Renew = "/weft.dev/join/v1/renew";

    /// <summary>A node asks for the certificate of its proxy, which is nobody's but the proxy's.</summary>
    public const string Proxy = "/weft.dev/join/v1/proxy";

    /// <summary>What a node that has joined asks at each of its starts: it may have changed since.</summary>
    public const string Cluster = "/weft.dev/join/v1/cluster";

    public const int MaxBody = 16 * 1024;
}

/// <param name="SigningRequest">PKCS #10 in PEM; only its key counts, the name is the server's to decide.</param>
public sealed record JoinRequest(string NodeName, string SigningRequest);

/// <param name="Certificate">For `system:node:NAME`, in PEM.</param>
/// <param name="ClusterCidr">All pods of all nodes.</param>
/// <param name="LeaseSeconds">How often the node must say that it lives.</param>
/// <param name="Mesh">Whether the cluster has a mesh.</param>
public sealed record JoinAnswer(string Certificate, string Authority, string ClusterCidr, string ServiceCidr, string ClusterDomain, int LeaseSeconds, bool Mesh = false);

/// <param name="Mesh">Whether the cluster has a mesh.</param>
public sealed record ClusterAnswer(bool Mesh);

/// <param name="Certificate">Null in a request.</param>
public sealed record RenewMessage(string SigningRequest, string? Certificate);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(JoinRequest))]
[JsonSerializable(typeof(JoinAnswer))]
[JsonSerializable(typeof(RenewMessage))]
[JsonSerializable(typeof(ClusterAnswer))]
public sealed partial class JoinJson : JsonSerializerContext;
