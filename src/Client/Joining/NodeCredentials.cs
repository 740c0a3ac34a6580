using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Weft.Client.Joining;

/// <summary>
/// A node's key and certificate in a directory of its own: made here, signed by the cluster, renewed in the last third of its life. The key never
/// travels. Key and certificate stand in one file, which is replaced as a whole.
/// </summary>
public sealed class NodeCredentials
{
    // Every API server's certificate has it. A node knows its cluster by the authority; the server's addresses come and go with the networks it is in.
    public const string ServerName = "kubernetes";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _directory;
    private X509Certificate2 _certificate;

    private NodeCredentials(string directory, X509Certificate2 certificate, string authorityPem) => (_directory, _certificate, AuthorityPem) = (directory, certificate, authorityPem);

    /// <summary>With its key. Read at each handshake, so that a renewal needs no restart.</summary>
    public X509Certificate2 Certificate => Volatile.Read(ref _certificate);

    public string AuthorityPem { get; }

    /// <summary>For programs that want files (a registry's client): `node.crt`, `node.key`, `ca.crt`.</summary>
    public string CertificateFile => Path.Combine(_directory, "node.crt");
    public string KeyFile => Path.Combine(_directory, "node.key");
    public string AuthorityFile => Path.Combine(_directory, "ca.crt");

    /// <summary>Null when the node has not joined yet.</summary>
    /// <exception cref="InvalidDataException">The files are there and hold no usable key.</exception>
    public static NodeCredentials? Load(string directory)
    {
        var (pair, authority) = (Path.Combine(directory, "node.pem"), Path.Combine(directory, "ca.crt"));
        if (!File.Exists(pair) || !File.Exists(authority))
            return null;
        try
        {
            var pem = File.ReadAllText(pair);
            return new NodeCredentials(directory, X509Certificate2.CreateFromPem(pem, pem), File.ReadAllText(authority));
        }
        catch (Exception broken) when (broken is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException($"{pair} holds no usable key: remove the directory {directory} and join again with a new token", broken);
        }
    }

    /// <summary>A new key and the request to sign it.</summary>
    public static (ECDsa Key, string SigningRequest) NewRequest(string nodeName)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=system:node:" + nodeName, key, HashAlgorithmName.SHA256);
        return (key, request.CreateSigningRequestPem());
    }

    public static NodeCredentials Save(string directory, ECDsa key, string certificatePem, string authorityPem)
    {
        Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        var keyPem = key.ExportECPrivateKeyPem() + "\n";
        Write(Path.Combine(directory, "ca.crt"), authorityPem);
        Write(Path.Combine(directory, "node.crt"), certificatePem);
        Write(Path.Combine(directory, "node.key"), keyPem);
        Write(Path.Combine(directory, "node.pem"), keyPem + certificatePem);
        return Load(directory)!;
    }

    public bool IsDue(DateTimeOffset now) => Certificate.NotAfter - now < (Certificate.NotAfter - Certificate.NotBefore) / 3;

    internal void Renewed(ECDsa key, string certificatePem) => Volatile.Write(ref _certificate, Save(_directory, key, certificatePem, AuthorityPem).Certificate);

    /// <summary>Trusts this cluster alone, and shows this node's certificate.</summary>
    public SocketsHttpHandler CreateHandler()
    {
        var handler = CreateHandler(AuthorityPem);
        handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => Certificate;
        return handler;
    }

    /// <summary>Trusts a server of this authority at whatever address.</summary>
    internal static SocketsHttpHandler CreateHandler(string authorityPem) =>
        new ClusterAccess { Server = new Uri("https://cluster.invalid"), ServerName = ServerName, CertificateAuthorityPem = authorityPem }.CreateHandler();

    private static void Write(string path, string text)
    {
        var temporary = path + ".new";
        File.Delete(temporary);
        using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            file.Write(Encoding.ASCII.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }
}
