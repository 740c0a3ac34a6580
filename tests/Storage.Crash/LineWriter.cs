using System.Text;

namespace Weft.Storage.Crash;

/// <summary>Each line is one write to the pipe: what was written before the kill is read after it.</summary>
internal sealed class LineWriter(Stream stream)
{
    private readonly Lock _gate = new();

    public void Line(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        lock (_gate)
            stream.Write(bytes);
    }
}
