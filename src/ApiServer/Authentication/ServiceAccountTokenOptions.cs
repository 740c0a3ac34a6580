namespace Weft.ApiServer.Authentication;

/// <summary>How service account tokens are made and checked.</summary>
public sealed record ServiceAccountTokenOptions
{
    /// <summary>`iss`. The name that pods reach the API server by, so that its discovery documents are found there too.</summary>
    public string Issuer { get; init; } = "https://kubernetes.default.svc.cluster.local";

    /// <summary>Where the key set is: absolute, with the address that verifiers outside reach. Empty: below the issuer.</summary>
    public string KeySetUri { get; init; } = "";

    /// <summary>Audiences of the API server itself: given to a token that asks for none, and demanded from a token that logs in.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = ["https://kubernetes.default.svc.cluster.local"];

    internal string EffectiveKeySetUri => KeySetUri.Length > 0 ? KeySetUri : Issuer.TrimEnd('/') + "/openid/v1/jwks";
}
