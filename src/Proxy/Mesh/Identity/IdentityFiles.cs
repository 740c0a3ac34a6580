using System.Text;
using System.Text.Json;
using Weft.Proxy.Config.Identity;

namespace Weft.Proxy.Mesh.Identity;

/// <summary>
/// The proxy's identities on disk, so that one that starts while the server is away serves until they end: the bundle, and a file for each account with key and
/// chain. Readable by the proxy's user alone, replaced as a whole.
/// </summary>
internal sealed class IdentityFiles(string directory)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const string Suffix = ".pem", Temporary = ".new";

    private string BundlePath => Path.Combine(directory, "bundle.json");

    /// <summary>Null when there is none that can be read.</summary>
    public TrustBundle? LoadBundle()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(BundlePath), CertificateJson.Default.CertificateMessage)?.Bundle;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException or JsonException)
        {
            return null; // the server has it
        }
    }

    /// <summary>Those that are good; the others are removed.</summary>
    public IReadOnlyList<HeldIdentity> Load(string trustDomain, DateTimeOffset now)
    {
        var found = new List<HeldIdentity>();
        if (!Directory.Exists(directory))
            return found;
        foreach (var path in Directory.EnumerateFiles(directory, "*" + Suffix))
        {
            var name = Path.GetFileNameWithoutExtension(path).Split('_');
            var account = name.Length == 2 ? new WorkloadAccount(name[0], name[1]) : default;
            string pem;
            try
            {
                pem = File.ReadAllText(path);
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                continue;
            }

            if (account.IsValid && HeldIdentity.TryCreate(account, trustDomain, pem, pem, out var held, out _) && held.NotAfter > now)
                found.Add(held);
            else
                Remove(path);
        }

        return found;
    }

    public void Save(TrustBundle bundle) => Write(BundlePath, JsonSerializer.SerializeToUtf8Bytes(new CertificateMessage(bundle, null), CertificateJson.Default.CertificateMessage));

    public void Save(HeldIdentity identity) => Write(PathOf(identity.Account), Encoding.ASCII.GetBytes(identity.Key + identity.Chain));

    public void Remove(WorkloadAccount account) => Remove(PathOf(account));

    // Neither part has an underscore.
    private string PathOf(WorkloadAccount account) => Path.Combine(directory, $"{account.Namespace}_{account.Name}{Suffix}");

    private void Write(string path, byte[] content)
    {
        Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        var temporary = path + Temporary;
        File.Delete(temporary);
        using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception stays) when (stays is IOException or UnauthorizedAccessException)
        {
            // It has ended, or is not usable: of no use to anybody.
        }
    }
}
