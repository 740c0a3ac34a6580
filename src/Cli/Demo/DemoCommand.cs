using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Api;
using Weft.Api.Apps;
using Weft.Api.Core;
using Weft.Cli.Clusters;
using Weft.Cli.Objects;
using Weft.Client;

namespace Weft.Cli.Demo;

/// <summary>`weft demo`: a cluster with a small shop in it (front, catalogue in two versions, cart), and what to try with it.</summary>
public sealed class DemoCommand(CommandHost host, TextWriter output, TextWriter errors)
{
    private const string Namespace = "shop";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    public async Task<int> RunAsync(ClusterPaths paths, int? apiPort, CancellationToken cancellationToken)
    {
        var up = await new UpCommand(host.Time, output, errors).RunAsync(new(paths, apiPort, Foreground: false, host.Executable), cancellationToken);
        if (up != 0)
            return up;

        output.WriteLine();
        output.WriteLine("the shop: three C# services as process pods");
        var manifest = Render(paths, InstallApps(paths));
        using var client = ClusterConnection.Find(paths).Connect(host.Time);
        var started = host.Time.GetTimestamp();
        if (await new ApplyCommand(client, Namespace, TextWriter.Null, errors).RunAsync([manifest], force: true, cancellationToken) != 0)
            return 1;

        while (await PendingAsync(client, cancellationToken) is { Count: > 0 } pending)
        {
            if (host.Time.GetElapsedTime(started) > Patience)
            {
                errors.WriteLine($"weft demo: not available after {Patience.TotalSeconds:0} s: {string.Join(", ", pending)}");
                errors.WriteLine($"  see:  kubectl -n {Namespace} describe pods");
                return 1;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), host.Time, cancellationToken);
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {host.Time.GetElapsedTime(started).TotalSeconds,5:0.00} s  all deployments available"));
        await SuggestAsync(client, cancellationToken);
        return 0;
    }

    /// <summary>The programs must be readable for the user that pods run as, which a checkout in a home directory is not.</summary>
    private string InstallApps(ClusterPaths paths)
    {
        var source = Path.Combine(host.Content, "demo");
        if (!Directory.Exists(source))
            throw new CommandException($"the demo's programs are missing in {source}: run it as ./weft demo from a checkout");
        Directory.CreateDirectory(paths.DemoApps);
        foreach (var file in Directory.EnumerateFiles(source))
        {
            var target = Path.Combine(paths.DemoApps, Path.GetFileName(file));
            if (File.Exists(target) && File.GetLastWriteTimeUtc(target) >= File.GetLastWriteTimeUtc(file))
                continue;
            // A running program cannot be overwritten, but its name can be given to another file.
            File.Copy(file, target + ".new", overwrite: true);
            File.SetUnixFileMode(target + ".new", File.GetUnixFileMode(file) | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            File.Move(target + ".new", target, overwrite: true);
        }

        return paths.DemoApps;
    }

    private string Render(ClusterPaths paths, string apps)
    {
        // .../shared/Microsoft.NETCore.App/10.0.x/System.Private.CoreLib.dll: the root is four up.
        var runtime = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "..", "..", ".."));
        var text = File.ReadAllText(Path.Combine(host.Content, "manifests", "shop.yaml"))
            .Replace("${APPS}", apps, StringComparison.Ordinal).Replace("${DOTNET_ROOT}", runtime, StringComparison.Ordinal);
        var rendered = Path.Combine(paths.DemoApps, "shop.yaml");
        File.WriteAllText(rendered, text);
        return rendered;
    }

    private static async Task<IReadOnlyList<string>> PendingAsync(KubeClient client, CancellationToken cancellationToken)
    {
        var deployments = await client.For<Deployment>().ListAsync(Namespace, cancellationToken);
        return
        [
            .. deployments.Items.Where(d => d.Status.ObservedGeneration != d.Metadata.Generation || (d.Status.AvailableReplicas ?? 0) < (d.Spec.Replicas ?? 1))
                .Select(d => d.Metadata.Name!),
        ];
    }

    private async Task SuggestAsync(KubeClient client, CancellationToken cancellationToken)
    {
        var front = await client.For<Service>().GetAsync(new ObjectKey(Namespace, "front"), cancellationToken);
        output.WriteLine();
        output.WriteLine("try:");
        Suggest($"curl http://{front.Spec.ClusterIP}/", "the shop; again and again: v1 and v2");
        Suggest($"curl -X POST http://{front.Spec.ClusterIP}/cart/yarn", "put something into the cart");
        Suggest($"kubectl -n {Namespace} exec deploy/cart -- getent hosts front", "a service by its name");
        Suggest($"kubectl -n {Namespace} port-forward deploy/front 8080:8080", "then open http://127.0.0.1:8080/");
        Suggest($"kubectl -n {Namespace} get pods,services -o wide", "");
        Suggest($"kubectl -n {Namespace} scale deploy/catalogue-v2 --replicas=3", "more of v2");
        Suggest($"kubectl -n {Namespace} set env deploy/catalogue-v1 VERSION=v2", $"a rolling update: kubectl -n {Namespace} rollout status deploy/catalogue-v1");
        Suggest($"kubectl -n {Namespace} logs deploy/front -f", "");
        Suggest($"kubectl delete namespace {Namespace}", "");
    }

    private void Suggest(string command, string what) => output.WriteLine($"  {command,-62}{what}".TrimEnd());
}
