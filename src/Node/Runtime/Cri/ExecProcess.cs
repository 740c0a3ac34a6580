using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Node.Runtime.Cri;

/// <summary>The process part of an OCI specification for a command in a container: the container's own, with other words. Pure.</summary>
internal static class ExecProcess
{
    public static byte[] Build(ReadOnlySpan<byte> containerSpec, IReadOnlyList<string> command, bool terminal)
    {
        var process = JsonNode.Parse(containerSpec)?["process"]?.DeepClone().AsObject() ?? throw new JsonException("the container's specification has no process");
        process["args"] = new JsonArray([.. command.Select(word => (JsonNode)word)]);
        process["terminal"] = terminal;
        process.Remove("consoleSize");
        if (terminal)
        {
            // What programs draw with depends on it, and the container may have been made without a terminal (containerd does the same).
            var environment = process["env"]?.AsArray() ?? [];
            if (!environment.Any(e => ((string?)e ?? "").StartsWith("TERM=", StringComparison.Ordinal)))
                environment.Add("TERM=xterm");
            process["env"] = environment.Parent is null ? environment : environment.DeepClone();
        }
        return JsonSerializer.SerializeToUtf8Bytes(process);
    }
}
