using System.Text.Json.Serialization;

namespace Weft.Proxy.Config.Identity;

/// <summary>The authorities that certificates of the mesh may come from.</summary>
/// <param name="Version">Grows with every change.</param>
/// <param name="TrustDomain">Of the identities: `cluster.local`.</param>
/// <param name="Roots">Certificates in PEM, one or more.</param>
public sealed record TrustBundle(long Version, string TrustDomain, string Roots);

/// <summary>Proxy to server: sign this key for a service account of the proxy's node.</summary>
/// <param name="Id">Chosen by the proxy; the answer has it.</param>
/// <param name="Request">PKCS #10 in PEM. Its key counts, and nothing else in it.</param>
public sealed record SigningRequest(long Id, string Namespace, string ServiceAccount, string Request);

/// <summary>Server to proxy.</summary>
/// <param name="Chain">The certificate and those between it and a root, in PEM; null: refused.</param>
/// <param name="Status">200, or as HTTP has it: 400, 403 (no such account on this node), 429 (too many), 503 (no authority now).</param>
/// <param name="Reason">Of a refusal.</param>
public sealed record SigningAnswer(long Id, string? Chain, int Status, string? Reason);

/// <summary>One of both. The first message of a connection has the bundle, and a changed one comes before the first certificate that needs it.</summary>
public sealed record CertificateMessage(TrustBundle? Bundle, SigningAnswer? Answer);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SigningRequest))]
[JsonSerializable(typeof(CertificateMessage))]
public sealed partial class CertificateJson : JsonSerializerContext;
