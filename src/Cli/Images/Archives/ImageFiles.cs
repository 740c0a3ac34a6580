using System.IO.Compression;

namespace Weft.Cli.Images.Archives;

/// <summary>The files that images are made of: of a tar, or of a directory.</summary>
internal abstract class ImageFiles : IDisposable
{
    // What a compressed archive may grow to; the disk's reserve usually says no before.
    private const long MaxUnpacked = 64L << 30;
    private const long Reserve = 512L << 20;

    /// <summary>Null when it is not there. Names use '/' and are relative.</summary>
    internal abstract Stream? Open(string name);

    /// <summary>The whole of a small file; null when it is not there.</summary>
    internal byte[]? Read(string name, int limit)
    {
        using var file = Open(name);
        if (file is null)
            return null;
        if (file.Length > limit)
            throw new ArchiveException($"{name} has {file.Length} bytes; {limit} are the limit");
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <param name="path">A tar, compressed by gzip or not, a directory with an OCI layout, or `-` for standard input.</param>
    internal static async Task<ImageFiles> OpenAsync(string path, Func<Stream> input, CancellationToken cancellationToken)
    {
        if (Directory.Exists(path))
            return new Folder(path);
        if (path == "-")
        {
            await using var stdin = input();
            return await UnpackAsync(stdin, cancellationToken);
        }

        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw new ArchiveException(refused is FileNotFoundException or DirectoryNotFoundException ? "there is no such file" : refused.Message);
        }

        var magic = new byte[6];
        var read = file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        file.Position = 0;
        if (Packing(magic.AsSpan(0, read)) is not { } packing)
            return Tar.Over(file);
        await using (file)
        {
            return packing == "gzip"
                ? await UnpackAsync(file, cancellationToken)
                : throw new ArchiveException($"it is packed with {packing}: unpack it first ({(packing == "zstd" ? "unzstd" : packing == "xz" ? "unxz" : "bunzip2")})");
        }
    }

    private static string? Packing(ReadOnlySpan<byte> magic) =>
        magic.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]) ? "gzip"
        : magic.StartsWith((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) ? "zstd"
        : magic.StartsWith((ReadOnlySpan<byte>)[0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z']) ? "xz"
        : magic.StartsWith("BZh"u8) ? "bzip2"
        : null;

    /// <summary>Into a temporary file without a name: what is read has to be read twice.</summary>
    private static async Task<ImageFiles> UnpackAsync(Stream packed, CancellationToken cancellationToken)
    {
        var directory = Path.GetTempPath();
        var file = new FileStream(Path.Combine(directory, "weft-image-" + Path.GetRandomFileName()), new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            Options = FileOptions.DeleteOnClose,
        });
        try
        {
            var buffer = new byte[128 * 1024];
            var first = await packed.ReadAtLeastAsync(buffer, 2, throwOnEndOfStream: false, cancellationToken);
            Stream source = new Prefixed(buffer.AsMemory(0, first).ToArray(), packed);
            if (Packing(buffer.AsSpan(0, first)) == "gzip")
                source = new GZipStream(source, CompressionMode.Decompress);
            long total = 0, checkedAt = 0;
            while (await source.ReadAsync(buffer, cancellationToken) is var read and > 0)
            {
                total += read;
                if (total > MaxUnpacked)
                    throw new ArchiveException($"it grows beyond {MaxUnpacked >> 30} GiB when it is unpacked");
                if (total > checkedAt)
                {
                    if (new DriveInfo(directory).AvailableFreeSpace < Reserve)
                        throw new ArchiveException($"there is not enough room in {directory} to unpack it");
                    checkedAt = total + (16 << 20);
                }

                await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            }

            file.Position = 0;
            return Tar.Over(file);
        }
        catch (InvalidDataException broken)
        {
            await file.DisposeAsync();
            throw new ArchiveException($"its gzip is damaged: {broken.Message}");
        }
        catch
        {
            await file.DisposeAsync();
            throw;
        }
    }

    public abstract void Dispose();

    private sealed class Tar(FileStream file, TarIndex index) : ImageFiles
    {
        internal static Tar Over(FileStream file)
        {
            try
            {
                return new Tar(file, TarIndex.Read(file));
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }

        internal override Stream? Open(string name) => index.Find(name) is var (offset, length) ? new Part(file, offset, length) : null;

        public override void Dispose() => file.Dispose();
    }

    private sealed class Folder(string root) : ImageFiles
    {
        internal override Stream? Open(string name)
        {
            var path = Path.Combine(root, name);
            return File.Exists(path) ? File.OpenRead(path) : null;
        }

        public override void Dispose()
        {
        }
    }
}
