using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace Weft.Cli.Debugging;

/// <summary>A tar.gz of text files, each redacted and bounded. A part that cannot be had says why, and never keeps the others out.</summary>
internal sealed class BundleWriter : IAsyncDisposable
{
    /// <summary>Of one file; of a longer text the end is kept, where logs tell what happened last.</summary>
    internal const int MaxFile = 4 * 1024 * 1024;

    private readonly TarWriter _tar;
    private readonly string _root;
    private readonly DateTimeOffset _now;

    internal BundleWriter(Stream output, string root, DateTimeOffset now)
    {
        _tar = new TarWriter(new GZipStream(output, CompressionLevel.Optimal), TarEntryFormat.Pax);
        (_root, _now) = (root, now);
    }

    internal async Task AddAsync(string name, Func<Task<string>> read, CancellationToken cancellationToken)
    {
        string text;
        try
        {
            text = await read();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or HttpRequestException or Weft.Client.ApiStatusException or Weft.Client.KubeconfigException
            or Objects.CommandException or System.Text.Json.JsonException or InvalidDataException or TaskCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            text = $"could not be read: {unreadable.Message}\n";
        }

        await WriteAsync(name, Bound(Redactor.Text(text)), cancellationToken);
    }

    internal static string Bound(string text) => text.Length <= MaxFile ? text : $"(the first {text.Length - MaxFile} characters are left out)\n" + text[^MaxFile..];

    private async Task WriteAsync(string name, string text, CancellationToken cancellationToken)
    {
        await using var data = new MemoryStream(Encoding.UTF8.GetBytes(text));
        await _tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, $"{_root}/{name}")
        {
            DataStream = data, ModificationTime = _now, Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }, cancellationToken);
    }

    public ValueTask DisposeAsync() => _tar.DisposeAsync();
}
