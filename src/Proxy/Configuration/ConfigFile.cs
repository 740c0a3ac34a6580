using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Weft.Proxy.Config;
using Weft.Proxy.Config.Wire;

namespace Weft.Proxy.Configuration;

/// <summary>
/// The last good configuration on disk: format, the messages of one step as they go over the wire, and a checksum of everything before it. A proxy that starts
/// while the server is away begins with it. Written beside and renamed, so that a crash leaves the old or the new one.
/// </summary>
public sealed class ConfigFile(string path)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    // Everything a proxy may hold at once, with room for keys and hashes.
    private const long MaxBytes = 512L * 1024 * 1024;

    private readonly Lock _writing = new();

    private static ReadOnlySpan<byte> Format => "weft-config-1\n"u8;

    /// <summary>Null when there is none.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or of another version.</exception>
    public IReadOnlyList<Delta>? Load()
    {
        byte[] bytes;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxBytes })
                throw new InvalidDataException($"{path} is larger than {MaxBytes} bytes");
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        if (!bytes.AsSpan().StartsWith(Format))
            throw new InvalidDataException($"{path} has another format than this program writes");
        var content = bytes.AsSpan(0, Math.Max(Format.Length, bytes.Length - SHA256.HashSizeInBytes));
        if (!SHA256.HashData(content).AsSpan().SequenceEqual(bytes.AsSpan(content.Length)))
            throw new InvalidDataException($"{path} is damaged: its checksum is not that of its content");
        return Read(content[Format.Length..]);
    }

    /// <summary>When it returns the configuration is on the disk. From several threads one after the other.</summary>
    public void Save(ConfigState state)
    {
        lock (_writing)
            Write(state);
    }

    private void Write(ConfigState state)
    {
        var temporary = path + ".tmp";
        File.Delete(temporary);
        using (var file = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Private }))
        using (var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            Put(Format);
            Span<byte> length = stackalloc byte[4];
            foreach (var message in Messages(state))
            {
                var bytes = WireCodec.Write(message);
                BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
                Put(length);
                Put(bytes);
            }

            file.Write(sum.GetHashAndReset());
            file.Flush(flushToDisk: true);

            void Put(ReadOnlySpan<byte> bytes)
            {
                file.Write(bytes);
                sum.AppendData(bytes);
            }
        }

        File.Move(temporary, path, overwrite: true);
    }

    private List<Delta> Read(ReadOnlySpan<byte> content)
    {
        var step = new List<Delta>();
        try
        {
            while (content.Length >= 4)
            {
                var length = BinaryPrimitives.ReadInt32BigEndian(content);
                step.Add(WireCodec.Read(content.Slice(4, length)) as Delta ?? throw new WireException("a message that is no delta"));
                content = content[(4 + length)..];
            }
        }
        catch (Exception bad) when (bad is WireException or ArgumentOutOfRangeException)
        {
            throw new InvalidDataException($"{path} cannot be read: {bad.Message}", bad);
        }

        return content.IsEmpty && step.Count > 0 ? step : throw new InvalidDataException($"{path} ends too early");
    }

    private static IEnumerable<Delta> Messages(ConfigState state)
    {
        var batch = ImmutableArray.CreateBuilder<ConfigUnit>();
        var bytes = 0;
        foreach (var unit in state.Units.Values)
        {
            if (bytes > WireLimits.TargetMessageBytes)
            {
                yield return new Delta(state.Epoch, state.Version, batch.ToImmutable(), [], More: true);
                batch.Clear();
                bytes = 0;
            }

            batch.Add(unit);
            bytes += unit.Bytes.Length + WireLimits.MaxKeyBytes;
        }

        yield return new Delta(state.Epoch, state.Version, batch.ToImmutable(), [], More: false);
    }
}
