using Weft.Cluster.Tests.Kit;

namespace Weft.Cluster.Tests;

/// <summary>A custom resource behaves as a built-in one: the same verbs, by the same path.</summary>
[Collection(ClusterCollection.Name)]
public sealed class CustomResourceTests(WeftCluster cluster)
{
    public static TheoryData<string> Kubectls => [.. WeftCluster.Kubectls];

    [Theory, MemberData(nameof(Kubectls))]
    public async Task A_custom_resource_is_applied_pruned_patched_scaled_and_conflicts(string kubectl)
    {
        await using var ns = await TestNamespace.CreateAsync(cluster, kubectl);
        var group = ns.Name + ".example.com";
        await ns.ApplyAsync(Definition(group));
        try
        {
            (await ns.KubectlAsync("wait", "--for=condition=Established", "crd/looms." + group, "--timeout=60s")).Succeeded();
            await ns.EventuallyAsync("the kind is served", async () => (await ns.KubectlAsync("get", "looms." + group)).ExitCode == 0);

            (await ns.InputAsync(Loom(group, 1), "apply", "--server-side", "--field-manager=one", "-f", "-")).Succeeded();
            Assert.Equal("linen", await ns.GetAsync("{.spec.thread}", "loom." + group + "/first"));
            var conflict = await ns.InputAsync(Loom(group, 5), "apply", "--server-side", "--field-manager=two", "-f", "-");
            Assert.Equal(1, conflict.ExitCode);
            Assert.Contains("conflict with \"one\"", conflict.Error, StringComparison.Ordinal);
            Assert.Contains(".spec.replicas", conflict.Error, StringComparison.Ordinal);
            (await ns.InputAsync(Loom(group, 5), "apply", "--server-side", "--field-manager=two", "--force-conflicts", "-f", "-")).Succeeded();
            Assert.Equal("5", await ns.GetAsync("{.spec.replicas}", "loom." + group + "/first"));

            // What the schema does not know is pruned; a merge patch may not make the object invalid; there is no strategic merge for it.
            (await ns.KubectlAsync("patch", "loom." + group, "first", "--type=merge", "-p", """{"spec":{"unknown":1,"colour":"green"}}""")).Succeeded();
            Assert.Equal("green", await ns.GetAsync("{.spec.colour}{.spec.unknown}", "loom." + group + "/first"));
            var invalid = await ns.KubectlAsync("patch", "loom." + group, "first", "--type=merge", "-p", """{"spec":{"colour":"plaid"}}""");
            Assert.Equal(1, invalid.ExitCode);
            Assert.Contains("spec.colour", invalid.Error, StringComparison.Ordinal);
            var strategic = await ns.KubectlAsync("patch", "loom." + group, "first", "--type=strategic", "-p", """{"spec":{"colour":"red"}}""");
            Assert.Equal(1, strategic.ExitCode);

            (await ns.KubectlAsync("scale", "loom." + group + "/first", "--replicas=7")).Succeeded();
            var shown = (await ns.KubectlAsync("get", "looms." + group)).Succeeded();
            Assert.Contains("REPLICAS", shown, StringComparison.Ordinal);
            Assert.Contains("7", shown, StringComparison.Ordinal);
            Assert.Contains("thread", (await ns.KubectlAsync("explain", "loom.spec", "--api-version=" + group + "/v1")).Succeeded(), StringComparison.Ordinal);
        }
        finally
        {
            (await ns.KubectlAsync("delete", "crd", "looms." + group, "--timeout=60s")).Succeeded();
        }

        Assert.NotEqual(0, (await ns.KubectlAsync("get", "looms." + group)).ExitCode);
    }

    private static string Loom(string group, int replicas) => $$"""
        apiVersion: {{group}}/v1
        kind: Loom
        metadata:
          name: first
        spec:
          replicas: {{replicas}}
        """;

    private static string Definition(string group) => $$"""
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata:
          name: looms.{{group}}
        spec:
          group: {{group}}
          scope: Namespaced
          names: {plural: looms, singular: loom, kind: Loom}
          versions:
          - name: v1
            served: true
            storage: true
            additionalPrinterColumns:
            - {name: Replicas, type: integer, jsonPath: .spec.replicas}
            subresources:
              status: {}
              scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec:
                    type: object
                    description: What is woven.
                    properties:
                      replicas: {type: integer, minimum: 0}
                      thread: {type: string, default: linen, description: The thread on the loom.}
                      colour: {type: string, enum: [green, red]}
                  status:
                    type: object
                    properties:
                      replicas: {type: integer}
        """;
}
