using System.Runtime.CompilerServices;
using Weft.Cluster.Tests.Kit;
using Weft.Testing;

namespace Weft.Cluster.Tests.Manifests;

/// <summary>Ordinary manifests of real images, applied as they stand with kubectl: each must run and do what its first lines promise.</summary>
[Collection(ContainerClusterCollection.Name)]
public sealed class ManifestTests(ContainerCluster cluster)
{
    public static TheoryData<string> Files => [.. Directory.GetFiles(Here(), "*.yaml").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Runs_and_serves(string file)
    {
        var name = "m-" + Path.GetFileNameWithoutExtension(file);
        var text = (await File.ReadAllTextAsync(Path.Combine(Here(), file))).Replace("@NAMESPACE@", name, StringComparison.Ordinal);
        var checks = ManifestCheck.Parse(text);
        Assert.NotEmpty(checks);
        (await cluster.KubectlAsync("create", "namespace", name)).Succeeded();
        try
        {
            (await cluster.InputAsync(text, "-n", name, "apply", "-f", "-")).Succeeded();
            (await cluster.InputAsync(Client, "-n", name, "apply", "-f", "-")).Succeeded();
            await WaitAsync(name);
            foreach (var check in checks)
                await CheckAsync(name, check);
        }
        catch (Exception failed) when (failed is not OperationCanceledException)
        {
            throw new InvalidOperationException($"{failed.Message}\n{await StateAsync(name)}", failed);
        }
        finally
        {
            (await cluster.KubectlAsync("delete", "namespace", name, "--timeout=150s")).Succeeded();
        }
    }

    // `sleep` as the first process takes no notice of SIGTERM: without the short grace every namespace would take half a minute to go.
    private const string Client = """
        apiVersion: v1
        kind: Pod
        metadata: {name: client}
        spec:
          terminationGracePeriodSeconds: 1
          containers:
          - {name: client, image: busybox, command: [sleep, "100000"]}
        """;

    private async Task WaitAsync(string ns)
    {
        foreach (var workload in await NamesAsync(ns, "deployments,statefulsets,daemonsets"))
            (await cluster.KubectlAsync("-n", ns, "rollout", "status", workload, "--timeout=150s")).Succeeded();
        foreach (var job in await NamesAsync(ns, "jobs"))
            (await cluster.KubectlAsync("-n", ns, "wait", "--for=condition=complete", job, "--timeout=150s")).Succeeded();
        (await cluster.KubectlAsync("-n", ns, "wait", "--for=condition=Ready", "pod/client", "--timeout=150s")).Succeeded();
    }

    private async Task<string[]> NamesAsync(string ns, string types) =>
        (await cluster.KubectlAsync("-n", ns, "get", types, "-o", "name")).Succeeded().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task CheckAsync(string ns, ManifestCheck check)
    {
        switch (check)
        {
            case ManifestCheck.Answers answers:
                await EventuallyAsync(check, async () => (await AskAsync(ns, answers.Url)).Output.Contains(answers.Text, StringComparison.Ordinal));
                break;
            case ManifestCheck.Refused refused:
                // Asked with a limit: a policy drops, it does not answer.
                Assert.NotEqual(0, (await cluster.KubectlAsync("-n", ns, "exec", "client", "--", "timeout", "3", "wget", "-qO-", refused.Url)).ExitCode);
                break;
            case ManifestCheck.Same same:
                await EventuallyAsync(check, async () => (await AskAsync(ns, same.Url)).ExitCode == 0);
                var all = (await cluster.KubectlAsync("-n", ns, "exec", "client", "--", "sh", "-c", $"for i in $(seq 20); do wget -qO- {same.Url}; done")).Succeeded();
                Assert.Single(all.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct());
                break;
            case ManifestCheck.Logs logs:
                await EventuallyAsync(check, async () => (await cluster.KubectlAsync(["-n", ns, "logs", .. logs.Arguments])).Output.Contains(logs.Text, StringComparison.Ordinal));
                break;
            case ManifestCheck.Exists exists:
                (await cluster.KubectlAsync("-n", ns, "get", exists.Name)).Succeeded();
                break;
            case ManifestCheck.Patch patch:
                (await cluster.KubectlAsync("-n", ns, "patch", patch.Name, "--type=merge", "-p", patch.Json)).Succeeded();
                break;
            case ManifestCheck.Restart restart:
                (await cluster.KubectlAsync("-n", ns, "delete", "pod", restart.Pod, "--timeout=120s")).Succeeded();
                await EventuallyAsync(check, async () => (await cluster.KubectlAsync("-n", ns, "wait", "--for=condition=Ready", "pod/" + restart.Pod, "--timeout=60s")).ExitCode == 0);
                break;
            case ManifestCheck.Trigger trigger:
                (await cluster.KubectlAsync("-n", ns, "create", "job", "by-hand", "--from=" + trigger.CronJob)).Succeeded();
                await EventuallyAsync(check, async () => (await cluster.KubectlAsync("-n", ns, "logs", "job/by-hand")).Output.Contains(trigger.Text, StringComparison.Ordinal));
                break;
        }
    }

    private Task<CommandResult> AskAsync(string ns, string url) => cluster.KubectlAsync("-n", ns, "exec", "client", "--", "timeout", "20", "wget", "-qO-", url);

    private static Task EventuallyAsync(ManifestCheck check, Func<Task<bool>> holds) => Eventually.TrueAsync(holds, check.ToString(), null);

    /// <summary>What an engineer would look at first.</summary>
    private async Task<string> StateAsync(string ns) =>
        (await cluster.KubectlAsync("-n", ns, "get", "pods,services,endpointslices", "-o", "wide")).Output + (await cluster.KubectlAsync("-n", ns, "get", "events")).Output;

    private static string Here([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
