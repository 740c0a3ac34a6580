using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.ApiServer.Observing;

/// <summary>Takes what a node sends as bytes, and gives it on line by line, with the node's true name: a node speaks for itself alone.</summary>
/// <param name="most">Bytes of a line.</param>
/// <param name="take">Waited for: a reader that stands still holds up the node, which drops and counts.</param>
internal sealed class NodeLines(string node, int most, Func<JsonObject, CancellationToken, ValueTask> take) : Stream
{
    private readonly MemoryStream _line = new();

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            var end = buffer.Span.IndexOf((byte)'\n');
            var part = end < 0 ? buffer : buffer[..end];
            if (_line.Length + part.Length > most)
                throw new IOException($"node {node} sends a line of more than {most} bytes");
            _line.Write(part.Span);
            if (end < 0)
                return;
            buffer = buffer[(end + 1)..];
            var line = Parse();
            _line.SetLength(0);
            await take(line, cancellationToken);
        }
    }

    private JsonObject Parse()
    {
        try
        {
            var text = Encoding.UTF8.GetString(_line.GetBuffer(), 0, (int)_line.Length);
            var line = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = 16 }) as JsonObject ?? throw new IOException($"node {node} does not answer with objects");
            // What is inside is the proxy's own word, too.
            foreach (var part in (JsonObject?[])[line, line["request"] as JsonObject])
            {
                if (part is not null)
                    part["node"] = node;
            }

            return line;
        }
        catch (Exception broken) when (broken is JsonException or ArgumentException)
        {
            throw new IOException($"node {node} does not answer in JSON", broken);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public override void Flush() { }
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("lines are taken asynchronously");
}
