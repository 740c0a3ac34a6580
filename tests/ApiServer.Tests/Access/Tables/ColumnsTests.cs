using System.Text.Json.Nodes;
using Weft.Api;
using Weft.ApiServer.Registry;
using Weft.ApiServer.Tables;

namespace Weft.ApiServer.Tests.Access.Tables;

public sealed class ColumnsTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 1, 0, 0, TimeSpan.Zero);

    private static string Row(IReadOnlyList<TableColumn> columns, string yaml, bool wide = false)
    {
        var tree = Trees.Yaml(yaml);
        return string.Join(" | ", columns.Where(c => wide || c.Priority == 0).Select(c => c.Value(tree, Now)?.ToString() ?? "null"));
    }

    private static string Row(string group, string kind, string yaml, bool wide = false) => Row(Columns.For(new GroupVersionKind(group, "v1", kind)), yaml, wide);

    private static string Pod(string status, string spec = "containers: [{name: a}, {name: b}]", string metadata = "") =>
        Row("", "Pod", $"metadata: {{name: p, creationTimestamp: \"2026-01-01T00:00:00Z\"{metadata}}}\nspec: {{{spec}}}\nstatus: {{{status}}}");

    [Theory]
    [InlineData("phase: Pending", "p | 0/2 | Pending | 0 | 60m")]
    [InlineData("phase: Pending, conditions: [{type: PodScheduled, status: \"False\", reason: SchedulingGated}]", "p | 0/2 | SchedulingGated | 0 | 60m")]
    [InlineData("phase: Pending, containerStatuses: [{name: a, state: {waiting: {reason: ContainerCreating}}}, {name: b, state: {waiting: {reason: ContainerCreating}}}]", "p | 0/2 | ContainerCreating | 0 | 60m")]
    [InlineData("phase: Running, containerStatuses: [{name: a, ready: true, state: {running: {}}}, {name: b, ready: true, restartCount: 2, state: {running: {}}, lastState: {terminated: {finishedAt: \"2026-01-01T00:55:00Z\"}}}]", "p | 2/2 | Running | 2 (5m ago) | 60m")]
    [InlineData("phase: Running, containerStatuses: [{name: a, ready: true, state: {running: {}}}, {name: b, restartCount: 7, state: {waiting: {reason: CrashLoopBackOff}}}]", "p | 1/2 | CrashLoopBackOff | 7 | 60m")]
    [InlineData("phase: Succeeded, containerStatuses: [{name: a, state: {terminated: {reason: Completed, exitCode: 0}}}, {name: b, state: {terminated: {reason: Completed, exitCode: 0}}}]", "p | 0/2 | Completed | 0 | 60m")]
    [InlineData("phase: Failed, containerStatuses: [{name: a, state: {terminated: {reason: Error, exitCode: 1}}}, {name: b, state: {terminated: {exitCode: 0, reason: Completed}}}]", "p | 0/2 | Error | 0 | 60m")]
    [InlineData("phase: Failed, containerStatuses: [{name: a, state: {terminated: {exitCode: 3}}}]", "p | 0/2 | ExitCode:3 | 0 | 60m")]
    [InlineData("phase: Failed, containerStatuses: [{name: a, state: {terminated: {exitCode: 137, signal: 9}}}]", "p | 0/2 | Signal:9 | 0 | 60m")]
    [InlineData("phase: Failed, reason: Evicted", "p | 0/2 | Evicted | 0 | 60m")]
    [InlineData("phase: Running, conditions: [{type: Ready, status: \"True\"}], containerStatuses: [{name: a, state: {terminated: {reason: Completed, exitCode: 0}}}, {name: b, ready: true, state: {running: {}}}]", "p | 1/2 | Running | 0 | 60m")]
    [InlineData("phase: Running, conditions: [{type: Ready, status: \"False\"}], containerStatuses: [{name: a, state: {terminated: {reason: Completed, exitCode: 0}}}, {name: b, ready: true, state: {running: {}}}]", "p | 1/2 | NotReady | 0 | 60m")]
    public void A_pods_status_says_what_it_waits_for(string status, string expected) => Assert.Equal(expected, Pod(status));

    [Theory]
    [InlineData("phase: Pending, initContainerStatuses: [{name: i, state: {running: {}}}, {name: j, state: {waiting: {reason: PodInitializing}}}], containerStatuses: [{name: a, state: {waiting: {reason: PodInitializing}}}]", "0/1 | Init:0/2")]
    [InlineData("phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 0}}}, {name: j, state: {running: {}}}]", "0/1 | Init:1/2")]
    [InlineData("phase: Pending, initContainerStatuses: [{name: i, restartCount: 3, state: {waiting: {reason: CrashLoopBackOff}}}]", "0/1 | Init:CrashLoopBackOff")]
    [InlineData("phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 1, reason: Error}}}]", "0/1 | Init:Error")]
    [InlineData("phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 2}}}]", "0/1 | Init:ExitCode:2")]
    [InlineData("phase: Pending, initContainerStatuses: [{name: i, state: {terminated: {exitCode: 0}}}, {name: j, state: {terminated: {exitCode: 0}}}], containerStatuses: [{name: a, state: {waiting: {reason: PodInitializing}}}]", "0/1 | PodInitializing")]
    public void Init_containers_come_first(string status, string expected) =>
        Assert.Contains(expected, Pod(status, "initContainers: [{name: i}, {name: j}], containers: [{name: a}]"), StringComparison.Ordinal);

    [Fact]
    public void A_sidecar_counts_as_a_container()
    {
        const string status = "phase: Running, initContainerStatuses: [{name: s, started: true, ready: true, restartCount: 1, state: {running: {}}}], containerStatuses: [{name: a, ready: true, state: {running: {}}}]";

        Assert.Equal("p | 2/2 | Running | 1 | 60m", Pod(status, "initContainers: [{name: s, restartPolicy: Always}], containers: [{name: a}]"));
    }

    [Fact]
    public void A_pod_under_deletion_is_terminating_until_it_has_ended()
    {
        Assert.Contains("Terminating", Pod("phase: Running", metadata: ", deletionTimestamp: \"2026-01-01T00:59:00Z\""), StringComparison.Ordinal);
        Assert.Contains("Succeeded", Pod("phase: Succeeded", metadata: ", deletionTimestamp: \"2026-01-01T00:59:00Z\""), StringComparison.Ordinal);
        Assert.Contains("Unknown", Pod("phase: Running, reason: NodeLost", metadata: ", deletionTimestamp: \"2026-01-01T00:59:00Z\""), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "Pod", "metadata: {name: p}\nspec: {nodeName: n1, containers: [{name: a}], readinessGates: [{conditionType: x}]}\nstatus: {phase: Running, podIPs: [{ip: 10.1.1.1}], conditions: [{type: x, status: \"True\"}]}", "p | 0/1 | Running | 0 | <unknown> | 10.1.1.1 | n1 | <none> | 1/1")]
    [InlineData("apps", "Deployment", "metadata: {name: d}\nspec: {replicas: 3, selector: {matchLabels: {b: c, a: b}, matchExpressions: [{key: e, operator: In, values: [z, x]}]}, template: {spec: {containers: [{name: x, image: i}, {name: w, image: j}]}}}\nstatus: {readyReplicas: 1, updatedReplicas: 2, availableReplicas: 1}", "d | 1/3 | 2 | 1 | <unknown> | x,w | i,j | a=b,b=c,e in (x,z)")]
    [InlineData("apps", "ReplicaSet", "metadata: {name: r}\nspec: {replicas: 3}\nstatus: {replicas: 2, readyReplicas: 1}", "r | 3 | 2 | 1 | <unknown> |  |  | <none>")]
    [InlineData("", "Service", "metadata: {name: s}\nspec: {type: NodePort, clusterIPs: [10.96.0.9], ports: [{port: 80, nodePort: 30080, protocol: TCP}, {port: 53, protocol: UDP}], selector: {app: x}}", "s | NodePort | 10.96.0.9 | <none> | 80:30080/TCP,53/UDP | <unknown> | app=x")]
    [InlineData("", "Service", "metadata: {name: s}\nspec: {type: LoadBalancer, clusterIP: 10.96.0.9, ports: [{port: 80}]}", "s | LoadBalancer | 10.96.0.9 | <pending> | 80/TCP | <unknown> | <none>")]
    [InlineData("", "Service", "metadata: {name: s}\nspec: {type: ExternalName, externalName: example.org}", "s | ExternalName | <none> | example.org | <none> | <unknown> | <none>")]
    [InlineData("", "Service", "metadata: {name: s}\nspec: {type: LoadBalancer, clusterIP: None, ports: [{port: 80}]}\nstatus: {loadBalancer: {ingress: [{ip: 10.0.0.1}, {hostname: h}]}}", "s | LoadBalancer | None | 10.0.0.1,h | 80/TCP | <unknown> | <none>")]
    [InlineData("", "Node", "metadata: {name: n1, labels: {node-role.kubernetes.io/worker: \"\", node-role.kubernetes.io/control-plane: \"\"}}\nspec: {unschedulable: true}\nstatus: {conditions: [{type: Ready, status: \"True\"}], nodeInfo: {kubeletVersion: v1, osImage: Deb, kernelVersion: k, containerRuntimeVersion: c}, addresses: [{type: InternalIP, address: 10.0.0.2}]}", "n1 | Ready,SchedulingDisabled | control-plane,worker | <unknown> | v1 | 10.0.0.2 | <none> | Deb | k | c")]
    [InlineData("", "Namespace", "metadata: {name: n1}\nstatus: {phase: Active}", "n1 | Active | <unknown>")]
    [InlineData("", "Endpoints", "metadata: {name: e}\nsubsets: [{addresses: [{ip: 1.1.1.1}, {ip: 1.1.1.2}], ports: [{port: 80}, {port: 81}]}]", "e | 1.1.1.1:80,1.1.1.2:80,1.1.1.1:81 + 1 more... | <unknown>")]
    [InlineData("discovery.k8s.io", "EndpointSlice", "metadata: {name: e}\naddressType: IPv4\nports: [{port: 80}]\nendpoints: [{addresses: [1.1.1.1]}]", "e | IPv4 | 80 | 1.1.1.1 | <unknown>")]
    [InlineData("", "ConfigMap", "metadata: {name: c}\ndata: {a: b}\nbinaryData: {c: d}", "c | 2 | <unknown>")]
    [InlineData("", "Secret", "metadata: {name: s}\ntype: Opaque\ndata: {a: b}", "s | Opaque | 1 | <unknown>")]
    [InlineData("rbac.authorization.k8s.io", "RoleBinding", "metadata: {name: b}\nroleRef: {kind: Role, name: r}\nsubjects: [{kind: User, name: u}, {kind: User, name: v}, {kind: ServiceAccount, name: s, namespace: ns}]", "b | Role/r | <unknown> | u, v |  | ns/s")]
    [InlineData("coordination.k8s.io", "Lease", "metadata: {name: l}\nspec: {holderIdentity: h}", "l | h | <unknown>")]
    [InlineData("scheduling.k8s.io", "PriorityClass", "metadata: {name: p}\nvalue: 10\nglobalDefault: true", "p | 10 | true | <unknown> | PreemptLowerPriority")]
    [InlineData("", "Event", "metadata: {name: e}\ntype: Warning\nreason: Failed\ninvolvedObject: {kind: Pod, name: p, fieldPath: spec}\nsource: {component: k, host: h}\nmessage: bad\ncount: 3\nfirstTimestamp: \"2026-01-01T00:00:00Z\"\nlastTimestamp: \"2026-01-01T00:59:50Z\"", "10s | Warning | Failed | pod/p | spec | k, h | bad | 60m | 3 | e")]
    [InlineData("events.k8s.io", "Event", "metadata: {name: e}\ntype: Normal\nreason: R\nregarding: {kind: Node, name: n1}\nreportingController: c\nnote: fine\neventTime: \"2026-01-01T00:59:50.000000Z\"", "10s | Normal | R | node/n1 |  | c | fine | 10s | 1 | e")]
    [InlineData("any", "Thing", "metadata: {name: t}", "t | <unknown>")]
    public void Each_kind_has_kubectls_columns(string group, string kind, string yaml, string expected) => Assert.Equal(expected, Row(group, kind, yaml, wide: true));

    [Fact]
    public void A_custom_kind_has_the_columns_of_its_definition()
    {
        var columns = CustomColumns.Of((JsonArray)Trees.Yaml("""
            all:
            - {name: Replicas, type: integer, jsonPath: .spec.replicas}
            - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
            - {name: Note, type: string, jsonPath: '.metadata.annotations.example\.com/note', priority: 1}
            - {name: Hosts, type: string, jsonPath: '.spec.hosts[*]'}
            - {name: First, type: string, jsonPath: '.spec.hosts[0]'}
            - {name: Missing, type: string, jsonPath: .spec.nothing}
            - {name: Odd, type: string, jsonPath: '.spec[?(@.x > 1)]'}
            - {name: Since, type: date, jsonPath: .metadata.creationTimestamp}
            """)["all"]!);

        Assert.Equal("t | 3 | True | text | a b | a | null | null | 60m", Row(columns, """
            metadata: {name: t, creationTimestamp: "2026-01-01T00:00:00Z", annotations: {example.com/note: text}}
            spec: {replicas: 3, hosts: [a, b]}
            status: {conditions: [{type: Other, status: "False"}, {type: Ready, status: "True"}]}
            """, wide: true));
        Assert.Equal(["Name", "Age"], CustomColumns.Of(null).Select(c => c.Name));
    }

    [Fact]
    public void An_autoscaler_shows_what_is_measured_beside_what_should_be()
    {
        const string Metrics = """
            [{type: Resource, resource: {name: cpu, target: {averageUtilization: 50}}}, {type: External, external: {metric: {name: q}, target: {averageValue: "30"}}},
             {type: Object, object: {metric: {name: h}, target: {value: "10"}}}]
            """;
        string Hpa(string version, string spec, string status) => Row(Columns.For(new GroupVersionKind("autoscaling", version, "HorizontalPodAutoscaler")),
            $"metadata: {{name: web, creationTimestamp: \"2026-01-01T00:00:00Z\"}}\nspec: {{scaleTargetRef: {{kind: Deployment, name: shop}}, minReplicas: 1, maxReplicas: 9, {spec}}}\nstatus: {{{status}}}");

        Assert.Equal("web | Deployment/shop | cpu: <unknown>/50%, <unknown>/30 (avg) + 1 more... | 1 | 9 | 0 | 60m", Hpa("v2", "metrics: " + Metrics, "desiredReplicas: 0"));
        Assert.Equal("web | Deployment/shop | cpu: 61%/50%, 7/30 (avg) + 1 more... | 1 | 9 | 2 | 60m",
            Hpa("v2", "metrics: " + Metrics, "currentReplicas: 2, currentMetrics: [{type: Resource, resource: {name: cpu, current: {averageUtilization: 61}}}, {type: External, external: {current: {averageValue: \"7\"}}}]"));
        Assert.Equal("web | Deployment/shop | cpu: 61%/50% | 1 | 9 | 2 | 60m", Hpa("v1", "targetCPUUtilizationPercentage: 50", "currentReplicas: 2, currentCPUUtilizationPercentage: 61"));
    }
}
