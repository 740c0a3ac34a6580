using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Proxies;

/// <summary>`weft proxy --config` as a service manager runs it. What is still there at the end of a test is killed, and what it started ends with it.</summary>
internal sealed partial class RunningProxy : IDisposable
{
    private readonly RunningProgram _program;

    public RunningProxy(string file)
    {
        Assert.True(File.Exists(WeftCluster.Program), $"{WeftCluster.Program} is missing: run ./weft --version once, or ./test");
        _program = new RunningProgram(WeftCluster.Program, ["proxy", "--config", file]);
    }

    public string Errors => _program.Errors;

    public int ExitCode => _program.ExitCode;

    /// <summary>The process that serves, as the log says; 0: none yet.</summary>
    public int Serving => Last(Serves());

    /// <summary>A process is started and waits to serve when this one dies.</summary>
    public bool HasStandby => Last(Waits()) is var waiting and not 0 && waiting != Serving;

    public Task SignalAsync(string name) => _program.SignalAsync(name);

    /// <summary>Returns when another process serves.</summary>
    public async Task RestartAsync()
    {
        var before = Serving;
        await SignalAsync("USR2");
        await Eventually.TrueAsync(() => Serving != before, state: () => Errors);
    }

    /// <summary>kill -9 of the process that serves; returns when it is gone.</summary>
    public async Task KillServingAsync()
    {
        using var serving = Process.GetProcessById(Serving);
        serving.Kill();
        await serving.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>It does nothing any more, and is there (SIGSTOP), once it has said that it is alive.</summary>
    public async Task StopServingAsync()
    {
        await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, TestContext.Current.CancellationToken); // twice what it says it after
        (await Shell.RunAsync("kill", ["-STOP", Serving.ToString(CultureInfo.InvariantCulture)])).Succeeded();
    }

    /// <summary>kill -9 of the process that was started here; gives those that it has left.</summary>
    public async Task<IReadOnlyList<int>> KillSupervisorAsync()
    {
        var children = Children();
        await SignalAsync("KILL");
        return children;
    }

    public Task EndAsync() => _program.EndAsync();

    public void Dispose()
    {
        var children = _program.HasExited ? [] : Children();
        _program.Dispose();
        // Those without a supervisor end by themselves, after a drain that nobody here waits for.
        foreach (var child in children)
        {
            try
            {
                using var left = Process.GetProcessById(child);
                left.Kill();
            }
            catch (ArgumentException)
            {
                // It has ended meanwhile.
            }
        }
    }

    private List<int> Children() =>
    [
        .. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Select(name => int.Parse(name!, CultureInfo.InvariantCulture))
            .Where(pid => ParentOf(pid) == _program.Id),
    ];

    private static int ParentOf(int pid)
    {
        // The fields after the name, which may have spaces in it: state, parent.
        var stat = ReadProc(pid, "stat");
        var fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 1 ? int.Parse(fields[1], CultureInfo.InvariantCulture) : 0;
    }

    private int Last(Regex regex) => regex.Matches(Errors) is { Count: > 0 } all ? int.Parse(all[^1].Groups[1].Value, CultureInfo.InvariantCulture) : 0;

    private static string ReadProc(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (IOException)
        {
            return ""; // it has ended
        }
    }

    [GeneratedRegex(@"process (\d+) serves")]
    private static partial Regex Serves();

    [GeneratedRegex(@"process (\d+) waits")]
    private static partial Regex Waits();
}
