using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Weft.Api;
using Weft.Api.Json;

namespace Weft.Client;

public enum WatchEventType { Added, Modified, Deleted, Bookmark }

/// <param name="Object">The object after the change; of a bookmark only its resourceVersion counts.</param>
public sealed record WatchEvent<T>(WatchEventType Type, T Object);

/// <summary>Reads a watch stream: one JSON event a line.</summary>
internal static class WatchReader
{
    // The largest object of the API (1.5 MB by decision 6, 3 MB in a tuned etcd) with room for escapes.
    private const int MaxLine = 16 * 1024 * 1024;

    public static async IAsyncEnumerable<WatchEvent<T>> ReadAsync<T>(
        Stream stream, Codec<T> codec, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 16 * 1024, leaveOpen: true));
        try
        {
            while (true)
            {
                var read = await reader.ReadAsync(cancellationToken);
                var buffer = read.Buffer;
                while (buffer.PositionOf((byte)'\n') is { } end)
                {
                    var line = buffer.Slice(0, end);
                    if (!line.IsEmpty)
                        yield return Parse(line, codec);
                    buffer = buffer.Slice(buffer.GetPosition(1, end));
                }

                // What follows the last line is kept; a stream cut in the middle of a line loses that event, and the next watch brings it.
                reader.AdvanceTo(buffer.Start, buffer.End);
                if (read.IsCompleted)
                    yield break;
                if (buffer.Length > MaxLine)
                    throw new InvalidDataException($"A watch event is longer than {MaxLine} bytes.");
            }
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    private static WatchEvent<T> Parse<T>(in ReadOnlySequence<byte> line, Codec<T> codec) where T : class
    {
        // One contiguous copy only when the line straddles two segments.
        var bytes = line.IsSingleSegment ? line.First : line.ToArray();
        var json = new Utf8JsonReader(bytes.Span);
        string? type = null;
        ReadOnlySpan<byte> body = default;
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("type"u8))
            {
                json.Read();
                type = json.GetString();
            }
            else if (json.ValueTextEquals("object"u8))
            {
                json.Read();
                var start = (int)json.TokenStartIndex;
                json.Skip();
                body = bytes.Span[start..(int)json.BytesConsumed];
            }
            else
            {
                json.Skip();
            }
        }

        return type switch
        {
            "ADDED" => new(WatchEventType.Added, codec.Read(body)),
            "MODIFIED" => new(WatchEventType.Modified, codec.Read(body)),
            "DELETED" => new(WatchEventType.Deleted, codec.Read(body)),
            "BOOKMARK" => new(WatchEventType.Bookmark, codec.Read(body)),
            "ERROR" => throw new ApiStatusException(ApiJson.Deserialize<Status>(body)),
            _ => throw new InvalidDataException($"A watch event has the unknown type '{type}'."),
        };
    }
}
