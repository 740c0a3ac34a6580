using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Weft.Proxy.Config.Identity;
using Weft.Proxy.Tls.Settings;

namespace Weft.Proxy.Mesh.Identity;

/// <summary>A workload's certificate and key, as they are held by its node's proxy.</summary>
internal sealed class HeldIdentity
{
    private const string UriUsage = "2.5.29.17";

    private HeldIdentity(WorkloadAccount account, string key, string chain, X509Certificate2 certificate) =>
        (Account, Key, Chain, NotBefore, NotAfter) = (account, key, chain, certificate.NotBefore.ToUniversalTime(), certificate.NotAfter.ToUniversalTime());

    public WorkloadAccount Account { get; }

    /// <summary>PEM. Never in a log.</summary>
    public string Key { get; }

    /// <summary>PEM: the certificate first.</summary>
    public string Chain { get; }

    public DateTimeOffset NotBefore { get; }

    public DateTimeOffset NotAfter { get; }

    /// <summary>Checks that the certificate is for this key and this account.</summary>
    public static bool TryCreate(WorkloadAccount account, string trustDomain, string key, string chain, [NotNullWhen(true)] out HeldIdentity? held, [NotNullWhen(false)] out string? error)
    {
        held = null;
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(chain, key); // refuses another key's
            if (UriOf(certificate) != account.Identity(trustDomain))
            {
                error = $"the certificate is not one of {account}";
                return false;
            }

            held = new(account, key, chain, certificate);
            error = null;
            return true;
        }
        catch (Exception wrong) when (wrong is CryptographicException or ArgumentException)
        {
            error = "it is no certificate with its key"; // not the reason of the library, which may quote what it read
            return false;
        }
    }

    public TlsCertificate ToCertificate() => new(Encoding.ASCII.GetBytes(Chain), Encoding.ASCII.GetBytes(Key));

    public override string ToString() => $"(identity of {Account} until {NotAfter:u})";

    private static string? UriOf(X509Certificate2 certificate)
    {
        var extension = certificate.Extensions.FirstOrDefault(each => each.Oid?.Value == UriUsage);
        if (extension is null)
            return null;
        // RFC 5280 section 4.2.1.6: uniformResourceIdentifier [6] IA5String.
        try
        {
            var names = new System.Formats.Asn1.AsnReader(extension.RawData, System.Formats.Asn1.AsnEncodingRules.DER).ReadSequence();
            var uri = names.ReadCharacterString(System.Formats.Asn1.UniversalTagNumber.IA5String, new System.Formats.Asn1.Asn1Tag(System.Formats.Asn1.TagClass.ContextSpecific, 6));
            return names.HasData ? null : uri;
        }
        catch (System.Formats.Asn1.AsnContentException)
        {
            return null;
        }
    }
}
