using System.Security.Cryptography;

namespace Weft.Jose;

/// <summary>An ES256 private key. Its key id is the hash of its public half, so that it survives a restart without being stored.</summary>
public sealed class SigningKey : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ECDsa _key;

    private SigningKey(ECDsa key)
    {
        _key = key;
        KeyId = StrictBase64Url.Encode(SHA256.HashData(key.ExportSubjectPublicKeyInfo()));
        PublicKey = VerificationKey.Es256(KeyId, key.ExportParameters(includePrivateParameters: false));
    }

    public string KeyId { get; }
    public VerificationKey PublicKey { get; }

    public static SigningKey CreateEs256() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <exception cref="CryptographicException">Not a P-256 key.</exception>
    /// <exception cref="ArgumentException">Not PEM.</exception>
    public static SigningKey FromPem(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return new SigningKey(key);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    public string ExportPem() => _key.ExportPkcs8PrivateKeyPem() + "\n";

    internal byte[] Sign(ReadOnlySpan<byte> data)
    {
        lock (_gate)
            return _key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    public void Dispose()
    {
        _key.Dispose();
        PublicKey.Dispose();
    }
}
