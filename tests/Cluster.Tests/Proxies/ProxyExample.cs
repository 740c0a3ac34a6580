using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Proxies;

/// <summary>
/// One configuration of docs/proxy.md, run by the real program. Its text is the document's; ports of listeners are replaced by free ones on loopback, and addresses, files and durations by those
/// that the test names. What is to be replaced must stand there, so that a change of the document is noticed.
/// </summary>
internal sealed partial class ProxyExample : IAsyncDisposable
{
    private readonly RunningProgram _program;
    private readonly Dictionary<int, int> _ports;

    private ProxyExample(RunningProgram program, Dictionary<int, int> ports) => (_program, _ports) = (program, ports);

    public string Log => _program.Output;

    /// <param name="number">As the document counts; 0: the one at its top.</param>
    /// <param name="directory">Takes the file.</param>
    public static async Task<ProxyExample> StartAsync(int number, TempDir directory, IReadOnlyDictionary<string, string> changes, IReadOnlyDictionary<string, string>? environment = null)
    {
        var text = Document(number);
        foreach (var (old, own) in changes)
        {
            Assert.Contains(old, text, StringComparison.Ordinal);
            text = text.Replace(old, own, StringComparison.Ordinal);
        }

        var ports = new Dictionary<int, int>();
        text = ListenerPort.Replace(text, match =>
        {
            var documented = int.Parse(match.Groups["port"].Value);
            ports[documented] = Ports.Free(match.Value.Contains("5353", StringComparison.Ordinal) ? SocketType.Dgram : SocketType.Stream);
            return match.Groups["flow"].Success ? $"- {{address: 127.0.0.1, port: {ports[documented]}" : $"- address: 127.0.0.1\n  port: {ports[documented]}";
        });
        text = text.Replace("admin: {port: 15000}", $"admin: {{port: {ports[15000] = Ports.Free()}}}", StringComparison.Ordinal);
        var file = directory.File("site.yaml");
        await File.WriteAllTextAsync(file, text);
        var program = new RunningProgram(WeftCluster.Program, ["proxy", "--config", file], environment);
        var listeners = ListenerPort.Count(Document(number));
        await Eventually.TrueAsync(
            () => program.HasExited || Regex.Count(program.Errors + program.Output, "listener .* on 127.0.0.1:") == listeners, state: () => program.Errors);
        Assert.False(program.HasExited, program.Errors);
        return new ProxyExample(program, ports);
    }

    /// <summary>Where a listener of the document is.</summary>
    public int Port(int documented) => _ports[documented];

    public string Url(int documented, string path) => $"http://127.0.0.1:{Port(documented)}{path}";

    public async ValueTask DisposeAsync()
    {
        if (!_program.HasExited)
            await _program.EndAsync();
        _program.Dispose();
    }

    private static string Document(int number, [CallerFilePath] string file = "")
    {
        var page = File.ReadAllText(Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../../docs/proxy.md")));
        if (number > 0)
            page = page[page.IndexOf($"### {number}. ", StringComparison.Ordinal)..];
        return Yaml.Match(page).Groups["text"].Value;
    }

    [GeneratedRegex("```yaml\n(?<text>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Yaml { get; }

    [GeneratedRegex(@"^- (?<flow>\{)?port: (?<port>\d+)", RegexOptions.Multiline)]
    private static partial Regex ListenerPort { get; }
}
