using System.Diagnostics;
using Weft.Registry.Pause;
using Weft.Testing;

namespace Weft.Registry.Tests.Pause;

/// <summary>The machine code itself, as process 1 of a pid namespace, where a program that handles no signals cannot even be ended.</summary>
public sealed class PauseProgramTests
{
    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Ends_on_signals_as_process_1_and_leaves_no_zombie(string signal)
    {
        using var directory = new TempDir();
        var program = directory.File("pause");
        await File.WriteAllBytesAsync(program, PauseProgram.For("amd64"));
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        // The shell becomes the pause program by exec and so leaves its children to it; the subshell's own child is orphaned when that ends.
        using var unshare = Process.Start(new ProcessStartInfo("/usr/bin/unshare",
            ["--fork", "--pid", "--kill-child", "/bin/sh", "-c", $"(sleep 0.2 & sleep 0.2 & exit 0) & sleep 0.1 & (sleep 100000 &) ; exec {program}"])
        { UseShellExecute = false })!;
        try
        {
            var pause = await Eventually.ValueAsync(async () => await Task.FromResult(Children(unshare.Id).Select(Name).FirstOrDefault(child => child?.Name == "pause")));
            await Eventually.TrueAsync(() => Children(pause.Pid) is [var one] && Name(one)?.Name == "sleep", "the children that have ended are reaped, the one that lives is not",
                () => string.Join(' ', Children(pause.Pid).Select(Name)));

            await Tool(signal, pause.Pid);
            await Eventually.TrueAsync(() => unshare.HasExited, "it ends");
            Assert.Equal(0, unshare.ExitCode);
        }
        finally
        {
            if (!unshare.HasExited)
                unshare.Kill(entireProcessTree: true);
        }
    }

    [Fact]
    public void Both_programs_are_whole_ELF_files_of_a_few_hundred_bytes()
    {
        foreach (var architecture in PauseProgram.Architectures)
        {
            var file = PauseProgram.For(architecture);
            Assert.Equal([0x7F, (byte)'E', (byte)'L', (byte)'F'], file[..4]);
            Assert.InRange(file.Length, 200, 400);
        }
    }

    private static async Task Tool(string signal, int pid) => await Kit.Tool.RunAsync("/bin/kill", "-s", signal, pid.ToString());

    private static List<int> Children(int pid)
    {
        try
        {
            return [.. File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static NamedProcess? Name(int pid)
    {
        try
        {
            return new(pid, File.ReadAllText($"/proc/{pid}/comm").Trim());
        }
        catch (IOException)
        {
            return null;
        }
    }

    private sealed record NamedProcess(int Pid, string Name);
}
