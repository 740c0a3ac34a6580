using System.Security.Cryptography;

namespace Weft.Proxy.Tls.Settings;

/// <summary>
/// A chain and its key as PEM. The bytes of the key belong to this object, which wipes them; contexts made of it have their own copy, in libssl's memory.
/// </summary>
internal sealed class TlsCertificate(ReadOnlyMemory<byte> chainPem, byte[] keyPem) : IDisposable
{
    /// <summary>The certificate, then those between it and the root.</summary>
    public ReadOnlyMemory<byte> ChainPem { get; } = chainPem;

    internal ReadOnlySpan<byte> KeyPem => keyPem;

    public void Dispose() => CryptographicOperations.ZeroMemory(keyPem);

    // Neither a log nor a message of a test may show the key.
    public override string ToString() => "(certificate and key)";
}
