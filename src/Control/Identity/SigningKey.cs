using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weft.Control.Identity;

/// <summary>An authority's key: ECDSA where it is our own, RSA often where it is not.</summary>
internal sealed class SigningKey : IDisposable
{
    private readonly AsymmetricAlgorithm _key;

    private SigningKey(AsymmetricAlgorithm key, X509SignatureGenerator generator, HashAlgorithmName hash) => (_key, Generator, Hash) = (key, generator, hash);

    internal X509SignatureGenerator Generator { get; }

    internal HashAlgorithmName Hash { get; }

    /// <param name="certificate">Says which kind of key it is.</param>
    /// <exception cref="CryptographicException">It is no such key.</exception>
    /// <exception cref="ArgumentException">It is none at all, or encrypted.</exception>
    internal static SigningKey Load(X509Certificate2 certificate, string pem)
    {
        using var rsa = certificate.GetRSAPublicKey();
        AsymmetricAlgorithm key = rsa is not null ? RSA.Create() : ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return key is RSA own
                ? new(key, X509SignatureGenerator.CreateForRSA(own, RSASignaturePadding.Pkcs1), HashAlgorithmName.SHA256)
                : new(key, X509SignatureGenerator.CreateForECDsa((ECDsa)key), key.KeySize > 256 ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    internal bool Matches(X509Certificate2 certificate)
    {
        using AsymmetricAlgorithm? theirs = (AsymmetricAlgorithm?)certificate.GetRSAPublicKey() ?? certificate.GetECDsaPublicKey();
        return theirs is not null && theirs.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(_key.ExportSubjectPublicKeyInfo());
    }

    public void Dispose() => _key.Dispose();
}
