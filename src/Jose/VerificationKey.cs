using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Weft.Jose;

/// <summary>A public key with the one algorithm that it may verify: the token does not choose (RFC 8725 3.1).</summary>
public abstract class VerificationKey : IDisposable
{
    private protected VerificationKey(string keyId, string algorithm) => (KeyId, Algorithm) = (keyId, algorithm);

    /// <summary>Empty when the key set gives none.</summary>
    public string KeyId { get; }
    public string Algorithm { get; }

    public abstract bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);

    /// <summary>The public JWK (RFC 7517).</summary>
    public abstract JsonObject ToJwk();

    public abstract void Dispose();

    public static VerificationKey Es256(string keyId, ECParameters parameters) => new Es256VerificationKey(keyId, parameters);

    public static VerificationKey Rs256(string keyId, RSAParameters parameters) => new Rs256VerificationKey(keyId, parameters);

    private protected JsonObject Jwk(string type) => new() { ["use"] = "sig", ["kty"] = type, ["kid"] = KeyId, ["alg"] = Algorithm };
}

internal sealed class Es256VerificationKey : VerificationKey
{
    private const int FieldBytes = 32;
    private readonly Lock _gate = new();
    private readonly ECDsa _key;

    internal Es256VerificationKey(string keyId, ECParameters parameters)
        : base(keyId, JoseAlgorithms.Es256)
    {
        if (parameters.Curve.Oid?.Value != ECCurve.NamedCurves.nistP256.Oid.Value || parameters.Q.X?.Length != FieldBytes || parameters.Q.Y?.Length != FieldBytes)
            throw new CryptographicException("ES256 needs a key on the curve P-256");
        // Import refuses a point that is not on the curve.
        _key = ECDsa.Create(new ECParameters { Curve = parameters.Curve, Q = parameters.Q });
    }

    public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        // r = 0 or s = 0 satisfies a careless verifier for every message (CVE-2022-21449).
        if (signature.Length != 2 * FieldBytes || !signature[..FieldBytes].ContainsAnyExcept((byte)0) || !signature[FieldBytes..].ContainsAnyExcept((byte)0))
            return false;
        // Instances of ECDsa are not documented as safe for several threads.
        lock (_gate)
            return _key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    public override JsonObject ToJwk()
    {
        ECPoint point;
        lock (_gate)
            point = _key.ExportParameters(includePrivateParameters: false).Q;
        var jwk = Jwk("EC");
        jwk["crv"] = "P-256";
        jwk["x"] = StrictBase64Url.Encode(point.X);
        jwk["y"] = StrictBase64Url.Encode(point.Y);
        return jwk;
    }

    public override void Dispose() => _key.Dispose();
}

internal sealed class Rs256VerificationKey : VerificationKey
{
    private readonly Lock _gate = new();
    private readonly RSA _key;

    internal Rs256VerificationKey(string keyId, RSAParameters parameters)
        : base(keyId, JoseAlgorithms.Rs256)
    {
        // RFC 7518 3.3 asks for 2048 bits at least; the upper bounds keep a hostile key set from making each check cost seconds.
        var bits = (parameters.Modulus?.Length ?? 0) * 8;
        if (bits is < 2048 or > 8192 || parameters.Exponent is not { Length: > 0 and <= 4 })
            throw new CryptographicException("RS256 needs a modulus of 2048 to 8192 bits and an exponent of at most 32 bits");
        _key = RSA.Create(new RSAParameters { Modulus = parameters.Modulus, Exponent = parameters.Exponent });
    }

    public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        lock (_gate)
            return signature.Length == _key.KeySize / 8 && _key.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    public override JsonObject ToJwk()
    {
        RSAParameters parameters;
        lock (_gate)
            parameters = _key.ExportParameters(includePrivateParameters: false);
        var jwk = Jwk("RSA");
        jwk["n"] = StrictBase64Url.Encode(parameters.Modulus);
        jwk["e"] = StrictBase64Url.Encode(parameters.Exponent);
        return jwk;
    }

    public override void Dispose() => _key.Dispose();
}
