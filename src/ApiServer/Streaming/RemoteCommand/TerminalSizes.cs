using System.Runtime.CompilerServices;
using System.Text.Json;
using Weft.Api.Streams;

namespace Weft.ApiServer.Streaming.RemoteCommand;

/// <summary>The resize stream: one flat JSON object after another, `{"Width":80,"Height":24}`, with or without line ends between.</summary>
internal static class TerminalSizes
{
    private const int MaxObject = 256;

    public static async IAsyncEnumerable<TerminalSize> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var buffer = new byte[MaxObject];
        var length = 0;
        while (true)
        {
            int read;
            try
            {
                read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken);
            }
            catch (IOException)
            {
                yield break; // the client is gone, and with it its terminal
            }

            if (read == 0)
                yield break;
            length += read;
            int end;
            while ((end = buffer.AsSpan(0, length).IndexOf((byte)'}')) >= 0)
            {
                if (TryParse(buffer.AsSpan(0, end + 1)) is { } size)
                    yield return size;
                buffer.AsSpan(end + 1, length - end - 1).CopyTo(buffer);
                length -= end + 1;
            }

            if (length == buffer.Length)
                yield break; // no terminal size is that long: the rest of the stream means nothing
        }
    }

    internal static TerminalSize? TryParse(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            return document.RootElement.TryGetProperty("Width", out var width) && width.TryGetUInt16(out var columns)
                && document.RootElement.TryGetProperty("Height", out var height) && height.TryGetUInt16(out var rows)
                ? new TerminalSize(columns, rows)
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null; // a size that cannot be read changes nothing
        }
    }
}
