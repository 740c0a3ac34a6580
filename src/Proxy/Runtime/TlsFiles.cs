using System.Security.Cryptography;
using System.Text;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Tls.Settings;

namespace Weft.Proxy.Runtime;

/// <summary>Reads the PEM that one context is made of, and wipes the keys when it has been made.</summary>
internal sealed class TlsFiles(List<string> errors) : IDisposable
{
    // A bundle of all authorities of the web is 200 KB.
    private const int MaxBytes = 4 << 20;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<TlsCertificate> _certificates = [];

    /// <summary>Of all that was read.</summary>
    public string Fingerprint => Convert.ToHexStringLower(_hash.GetCurrentHash());

    public byte[] Read(DataSource source, string place)
    {
        try
        {
            var bytes = source.File is { } path ? File.ReadAllBytes(path) : Encoding.UTF8.GetBytes(source.Inline ?? "");
            if (bytes.Length > MaxBytes)
                errors.Add($"{place}: has {bytes.Length} bytes; at most {MaxBytes}");
            _hash.AppendData(bytes);
            return bytes;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            errors.Add($"{place}: {unreadable.Message}");
            return [];
        }
    }

    public TlsCertificate Certificate(ProxyConfig config, string name, string place)
    {
        var found = config.Certificates.FirstOrDefault(certificate => certificate.Name == name);
        if (found is null)
            errors.Add($"{place}: there is no certificate '{name}'");
        var made = new TlsCertificate(Read(found?.Chain ?? new DataSource(), $"certificate {name}: chain"), Read(found?.Key ?? new DataSource(), $"certificate {name}: key"));
        _certificates.Add(made);
        return made;
    }

    public void Dispose()
    {
        _certificates.ForEach(certificate => certificate.Dispose());
        _hash.Dispose();
    }
}
