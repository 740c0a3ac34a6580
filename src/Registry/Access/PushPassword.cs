using System.Security.Cryptography;
using System.Text;

namespace Weft.Registry.Access;

/// <summary>The one account that may push. Its password is made at the first start and stands in a file for its owner alone.</summary>
public sealed class PushPassword
{
    public const string UserName = "weft";

    private readonly byte[] _hash;

    private PushPassword(string password) => _hash = SHA256.HashData(Encoding.UTF8.GetBytes(password));

    /// <summary>For the file's owner: what `docker login` wants.</summary>
    public static string Read(string path) => File.ReadAllText(path).Trim();

    /// <exception cref="InvalidDataException">The file is empty.</exception>
    public static PushPassword LoadOrCreate(string path)
    {
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var temporary = path + ".tmp";
            File.Delete(temporary);
            using (var file = new FileStream(temporary, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            {
                // 160 bits: guessing is hopeless, so that wrong tries need no counting.
                file.Write(Encoding.ASCII.GetBytes(RandomNumberGenerator.GetHexString(40, lowercase: true) + "\n"));
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }

        var password = Read(path);
        return password.Length > 0 ? new(password) : throw new InvalidDataException($"{path} is empty: remove it, and a new password is made at the next start");
    }

    // Hashes are of one length, and are compared in constant time.
    internal bool Matches(string userName, string password) =>
        userName == UserName & CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(password)), _hash);
}
