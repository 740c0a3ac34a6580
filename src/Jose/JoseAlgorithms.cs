namespace Weft.Jose;

/// <summary>The whole list: asymmetric signatures only. `none` and the HMAC family are not in it, so that no public key can serve as a shared secret.</summary>
public static class JoseAlgorithms
{
    public const string Es256 = "ES256";
    public const string Rs256 = "RS256";
}
