using System.Text.Json.Nodes;

namespace Weft.ApiServer.Tests.Strategies;

public sealed class PodValidationTests
{
    private static readonly Subject Pods = Subject.Of("pods");

    internal static JsonObject Good => Subject.Parse("""
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"default","labels":{"app":"web"}},
         "spec":{"containers":[{"name":"c","image":"nginx:1.25","ports":[{"containerPort":80,"name":"http"}],
           "env":[{"name":"A","value":"b"},{"name":"N","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}],
           "volumeMounts":[{"name":"data","mountPath":"/data"}],
           "resources":{"requests":{"cpu":"100m"},"limits":{"cpu":"1","memory":"1Gi"}},
           "readinessProbe":{"httpGet":{"port":"http"}}}],
          "initContainers":[{"name":"side","image":"side","restartPolicy":"Always"},{"name":"first","image":"first"}],
          "volumes":[{"name":"data"},{"name":"cfg","configMap":{"name":"cfg"}},{"name":"all","projected":{"sources":[{"serviceAccountToken":{"path":"token"}}]}}]}}
        """);

    [Fact]
    public void A_good_pod_has_no_errors() => Assert.Empty(Pods.CreateErrors(Good));

    [Theory]
    // metadata
    [InlineData("metadata.name", "\"Web\"", "metadata.name: Invalid value: \"Web\"")]
    [InlineData("metadata.name", "-", "metadata.name: Required value: name or generateName is required")]
    [InlineData("metadata.namespace", "\"a.b\"", "metadata.namespace: Invalid value: \"a.b\"")]
    [InlineData("metadata.generateName", "\"No_\"", "metadata.generateName: Invalid value: \"No_\"")]
    [InlineData("metadata.labels", "{\"a b\":\"c\"}", "metadata.labels: Invalid value: \"a b\"")]
    [InlineData("metadata.labels", "{\"a\":\"c!\"}", "metadata.labels: Invalid value: \"c!\"")]
    [InlineData("metadata.annotations", "{\"/x\":\"c\"}", "metadata.annotations: Invalid value: \"/x\": prefix part must be non-empty")]
    [InlineData("metadata.finalizers", "[\"bad finalizer\"]", "metadata.finalizers[0]: Invalid value: \"bad finalizer\"")]
    [InlineData("metadata.ownerReferences", "[{\"apiVersion\":\"v1\",\"kind\":\"A\",\"name\":\"\",\"uid\":\"u\"}]", "metadata.ownerReferences[0].name: Invalid value: \"\": name must not be empty")]
    [InlineData("metadata.ownerReferences", "[{\"apiVersion\":\"v1\",\"kind\":\"A\",\"name\":\"a\",\"uid\":\"u\",\"controller\":true},{\"apiVersion\":\"v1\",\"kind\":\"B\",\"name\":\"b\",\"uid\":\"w\",\"controller\":true}]", "metadata.ownerReferences: Invalid value: [")]
    // containers
    [InlineData("spec.containers", "[]", "spec.containers: Required value")]
    [InlineData("spec.containers", "-", "spec.containers: Required value")]
    [InlineData("spec.containers[0].name", "-", "spec.containers[0].name: Required value")]
    [InlineData("spec.containers[0].name", "\"\"", "spec.containers[0].name: Required value")]
    [InlineData("spec.containers[0].name", "\"Bad_Name\"", "spec.containers[0].name: Invalid value: \"Bad_Name\"")]
    [InlineData("spec.containers[0].image", "-", "spec.containers[0].image: Required value")]
    [InlineData("spec.containers[0].image", "\" nginx\"", "spec.containers[0].image: Invalid value: \" nginx\"")]
    [InlineData("spec.containers[1]", "{\"name\":\"c\",\"image\":\"i\"}", "spec.containers[1].name: Duplicate value: \"c\"")]
    [InlineData("spec.initContainers[1].name", "\"c\"", "spec.initContainers[1].name: Duplicate value: \"c\"")]
    [InlineData("spec.containers[0].restartPolicy", "\"Always\"", "spec.containers[0].restartPolicy: Forbidden")]
    [InlineData("spec.containers[0].imagePullPolicy", "\"Sometimes\"", "spec.containers[0].imagePullPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"IfNotPresent\", \"Never\"")]
    [InlineData("spec.initContainers[1].restartPolicy", "\"Never\"", "spec.initContainers[1].restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"")]
    [InlineData("spec.initContainers[1].livenessProbe", "{\"tcpSocket\":{\"port\":1}}", "spec.initContainers[1].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always")]
    [InlineData("spec.ephemeralContainers", "[{\"name\":\"d\",\"image\":\"i\"}]", "spec.ephemeralContainers: Forbidden: cannot be set on create")]
    // ports
    [InlineData("spec.containers[0].ports[0].containerPort", "0", "spec.containers[0].ports[0].containerPort: Invalid value: 0: must be between 1 and 65535, inclusive")]
    [InlineData("spec.containers[0].ports[0].containerPort", "-", "spec.containers[0].ports[0].containerPort: Required value")]
    [InlineData("spec.containers[0].ports[0].name", "\"UPPER\"", "spec.containers[0].ports[0].name: Invalid value: \"UPPER\"")]
    [InlineData("spec.containers[0].ports[0].protocol", "\"ICMP\"", "spec.containers[0].ports[0].protocol: Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", \"UDP\"")]
    [InlineData("spec.containers[0].ports[0].hostPort", "70000", "spec.containers[0].ports[0].hostPort: Invalid value: 70000")]
    [InlineData("spec.containers[0].ports[0].hostIP", "\"300.1.1.1\"", "spec.containers[0].ports[0].hostIP: Invalid value: \"300.1.1.1\": must be a valid IP address")]
    [InlineData("spec.containers[0].ports[1]", "{\"containerPort\":81,\"name\":\"http\"}", "spec.containers[0].ports[1].name: Duplicate value: \"http\"")]
    // environment
    [InlineData("spec.containers[0].env[0].name", "\"A=B\"", "spec.containers[0].env[0].name: Invalid value: \"A=B\"")]
    [InlineData("spec.containers[0].env[0].valueFrom", "{\"fieldRef\":{\"fieldPath\":\"metadata.name\"}}", "spec.containers[0].env[0].valueFrom: Invalid value")]
    [InlineData("spec.containers[0].env[1].valueFrom", "{}", "spec.containers[0].env[1].valueFrom: Invalid value: {}: must specify one of")]
    [InlineData("spec.containers[0].env[1].valueFrom.fieldRef.fieldPath", "\"spec.hostname\"", "spec.containers[0].env[1].valueFrom.fieldRef.fieldPath: Unsupported value: \"spec.hostname\"")]
    [InlineData("spec.containers[0].env[1].valueFrom", "{\"secretKeyRef\":{\"key\":\"k\"}}", "spec.containers[0].env[1].valueFrom.secretKeyRef.name: Required value")]
    [InlineData("spec.containers[0].env[1].valueFrom", "{\"configMapKeyRef\":{\"name\":\"a\",\"key\":\"a b\"}}", "spec.containers[0].env[1].valueFrom.configMapKeyRef.key: Invalid value: \"a b\"")]
    [InlineData("spec.containers[0].env[1].valueFrom", "{\"resourceFieldRef\":{\"resource\":\"limits.disk\"}}", "spec.containers[0].env[1].valueFrom.resourceFieldRef.resource: Unsupported value: \"limits.disk\"")]
    [InlineData("spec.containers[0].envFrom", "[{}]", "spec.containers[0].envFrom[0]: Invalid value: {}: must specify one of: `configMapRef` or `secretRef`")]
    // resources
    [InlineData("spec.containers[0].resources.requests.cpu", "\"2\"", "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1")]
    [InlineData("spec.containers[0].resources.requests.cpu", "\"lots\"", "spec.containers[0].resources.requests[cpu]: Invalid value: \"lots\"")]
    [InlineData("spec.containers[0].resources.requests.cpu", "\"-1\"", "spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or equal to 0")]
    [InlineData("spec.containers[0].resources.requests.disk", "\"1\"", "spec.containers[0].resources.requests[disk]: Invalid value: \"disk\": must be a standard resource for containers")]
    [InlineData("spec.containers[0].resources.requests.[example.com/gpu]", "\"1\"", "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources")]
    // mounts and volumes
    [InlineData("spec.containers[0].volumeMounts[0].name", "\"gone\"", "spec.containers[0].volumeMounts[0].name: Not found: \"gone\"")]
    [InlineData("spec.containers[0].volumeMounts[1]", "{\"name\":\"cfg\",\"mountPath\":\"/data\"}", "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/data\": must be unique")]
    [InlineData("spec.containers[0].volumeMounts[0].subPath", "\"../up\"", "spec.containers[0].volumeMounts[0].subPath: Invalid value: \"../up\": must not contain '..'")]
    [InlineData("spec.containers[0].volumeMounts[0].subPath", "\"/abs\"", "spec.containers[0].volumeMounts[0].subPath: Invalid value: \"/abs\": must be a relative path")]
    [InlineData("spec.containers[0].volumeMounts[0].mountPropagation", "\"Bidirectional\"", "spec.containers[0].volumeMounts[0].mountPropagation: Forbidden")]
    [InlineData("spec.volumes[1].name", "\"a.b\"", "spec.volumes[1].name: Invalid value: \"a.b\"")]
    [InlineData("spec.volumes[1].name", "\"data\"", "spec.volumes[1].name: Duplicate value: \"data\"")]
    [InlineData("spec.volumes[1].emptyDir", "{}", "spec.volumes[1].emptyDir: Forbidden: may not specify more than 1 volume type")]
    [InlineData("spec.volumes[0].hostPath", "{\"path\":\"/a/../b\"}", "spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'")]
    [InlineData("spec.volumes[0].hostPath", "{\"path\":\"/a\",\"type\":\"Thing\"}", "spec.volumes[0].hostPath.type: Unsupported value: \"Thing\"")]
    [InlineData("spec.volumes[0].emptyDir", "{\"sizeLimit\":\"-1\"}", "spec.volumes[0].emptyDir.sizeLimit: Invalid value: \"-1\"")]
    [InlineData("spec.volumes[0].emptyDir", "{\"medium\":\"Tape\"}", "spec.volumes[0].emptyDir.medium: Unsupported value: \"Tape\"")]
    [InlineData("spec.volumes[0].secret", "{}", "spec.volumes[0].secret.secretName: Required value")]
    [InlineData("spec.volumes[1].configMap", "{\"name\":\"a\",\"items\":[{\"key\":\"k\",\"path\":\"/etc\"}]}", "spec.volumes[1].configMap.items[0].path: Invalid value: \"/etc\": must be a relative path")]
    [InlineData("spec.volumes[1].configMap.defaultMode", "512", "spec.volumes[1].configMap.defaultMode: Invalid value: 512")]
    [InlineData("spec.volumes[2].projected.sources[0].serviceAccountToken.expirationSeconds", "60", "spec.volumes[2].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes")]
    [InlineData("spec.volumes[0].downwardAPI", "{\"items\":[{\"path\":\"p\"}]}", "spec.volumes[0].downwardAPI.items[0].fieldRef: Required value")]
    // probes
    [InlineData("spec.containers[0].livenessProbe", "{}", "spec.containers[0].livenessProbe: Required value: must specify a handler type")]
    [InlineData("spec.containers[0].livenessProbe", "{\"tcpSocket\":{\"port\":1},\"exec\":{\"command\":[\"a\"]}}", "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type")]
    [InlineData("spec.containers[0].livenessProbe", "{\"tcpSocket\":{\"port\":1},\"successThreshold\":2}", "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1")]
    [InlineData("spec.containers[0].livenessProbe", "{\"exec\":{}}", "spec.containers[0].livenessProbe.exec.command: Required value")]
    [InlineData("spec.containers[0].readinessProbe.httpGet.port", "0", "spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and 65535, inclusive")]
    [InlineData("spec.containers[0].readinessProbe.httpGet.port", "-", "spec.containers[0].readinessProbe.httpGet.port: Required value")]
    [InlineData("spec.containers[0].readinessProbe.httpGet.scheme", "\"FTP\"", "spec.containers[0].readinessProbe.httpGet.scheme: Unsupported value: \"FTP\"")]
    [InlineData("spec.containers[0].readinessProbe.periodSeconds", "-1", "spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0")]
    [InlineData("spec.containers[0].readinessProbe.terminationGracePeriodSeconds", "5", "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 5: must not be set for readinessProbes")]
    [InlineData("spec.containers[0].lifecycle", "{\"preStop\":{}}", "spec.containers[0].lifecycle.preStop: Required value: must specify a handler type")]
    // the pod
    [InlineData("spec.restartPolicy", "\"Maybe\"", "spec.restartPolicy: Unsupported value: \"Maybe\": supported values: \"Always\", \"Never\", \"OnFailure\"")]
    [InlineData("spec.dnsPolicy", "\"None\"", "spec.dnsConfig.nameservers: Required value")]
    [InlineData("spec.terminationGracePeriodSeconds", "-1", "spec.terminationGracePeriodSeconds: Invalid value: -1: must be greater than or equal to 0")]
    [InlineData("spec.activeDeadlineSeconds", "0", "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive")]
    [InlineData("spec.nodeSelector", "{\"a b\":\"c\"}", "spec.nodeSelector: Invalid value: \"a b\"")]
    [InlineData("spec.hostname", "\"a.b\"", "spec.hostname: Invalid value: \"a.b\"")]
    [InlineData("spec.serviceAccountName", "\"A\"", "spec.serviceAccountName: Invalid value: \"A\"")]
    [InlineData("spec.schedulingGates", "[{\"name\":\"a\"},{\"name\":\"a\"}]", "spec.schedulingGates[1].name: Duplicate value: \"a\"")]
    [InlineData("spec.tolerations", "[{\"operator\":\"Equal\",\"value\":\"x\"}]", "spec.tolerations[0].operator: Invalid value: \"Equal\"")]
    [InlineData("spec.tolerations", "[{\"key\":\"a\",\"operator\":\"Exists\",\"value\":\"x\"}]", "spec.tolerations[0]: Invalid value")]
    [InlineData("spec.tolerations", "[{\"key\":\"a\",\"tolerationSeconds\":3}]", "spec.tolerations[0].effect: Invalid value")]
    [InlineData("spec.topologySpreadConstraints", "[{\"maxSkew\":0,\"topologyKey\":\"zone\",\"whenUnsatisfiable\":\"DoNotSchedule\"}]", "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero")]
    [InlineData("spec.affinity", "{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[]}}}", "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value")]
    [InlineData("spec.affinity", "{\"nodeAffinity\":{\"preferredDuringSchedulingIgnoredDuringExecution\":[{\"weight\":101,\"preference\":{}}]}}", "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100")]
    [InlineData("spec.affinity", "{\"podAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[{\"topologyKey\":\"\"}]}}", "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: Required value: can not be empty")]
    [InlineData("spec.affinity", "{\"podAntiAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":[{\"topologyKey\":\"a\",\"labelSelector\":{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Gt\"}]}}]}}", "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].operator: Invalid value: \"Gt\": not a valid selector operator")]
    [InlineData("spec.securityContext", "{\"runAsUser\":-1}", "spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive")]
    [InlineData("spec.containers[0].securityContext", "{\"privileged\":true,\"allowPrivilegeEscalation\":false}", "spec.containers[0].securityContext: Invalid value")]
    [InlineData("spec.containers[0].securityContext", "{\"seccompProfile\":{\"type\":\"Localhost\"}}", "spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value")]
    [InlineData("spec.hostAliases", "[{\"ip\":\"x\"}]", "spec.hostAliases[0].ip: Invalid value: \"x\"")]
    [InlineData("spec.nodeName", "12", "spec.nodeName: Invalid value: \"integer\"")]
    public void A_bad_field_is_named(string path, string json, string error)
    {
        var errors = Pods.CreateErrors(Subject.With(Good, (path, json)));
        Assert.True(errors.Count == 1 && errors[0].StartsWith(error, StringComparison.Ordinal), $"expected {error}\nfound    {string.Join("\n         ", errors)}");
    }

    [Fact]
    public void All_errors_are_told_at_once()
    {
        var bad = Subject.With(Good, ("spec.containers[0].name", "\"A\""), ("spec.volumes[0].name", "\"B\""), ("spec.hostname", "\"C\""));
        Assert.Equal(4, Pods.CreateErrors(bad).Count); // the mount does not find its volume any more
    }

    [Fact]
    public void A_host_port_must_be_the_container_port_on_the_host_network()
    {
        var bad = Subject.With(Good, ("spec.hostNetwork", "true"), ("spec.containers[0].ports[0].hostPort", "8080"));
        Assert.StartsWith("spec.containers[0].ports[0].containerPort: Invalid value: 80", Assert.Single(Pods.CreateErrors(bad)), StringComparison.Ordinal);
    }

    [Fact]
    public void Gates_and_a_node_exclude_each_other()
    {
        var bad = Subject.With(Good, ("spec.schedulingGates", "[{\"name\":\"a\"}]"), ("spec.nodeName", "\"n\""));
        Assert.StartsWith("spec.nodeName: Forbidden", Assert.Single(Pods.CreateErrors(bad)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_is_whole() =>
        Assert.Contains("must be an integer", Pods.CreateErrors(Subject.With(Good, ("spec.containers[0].resources.limits.[example.com/gpu]", "\"500m\"")))[0], StringComparison.Ordinal);

    [Fact]
    public void An_extended_resource_cannot_be_overcommitted()
    {
        var bad = Subject.With(Good, ("spec.containers[0].resources.requests.[example.com/gpu]", "\"1\""), ("spec.containers[0].resources.limits.[example.com/gpu]", "\"2\""));
        Assert.Contains("must be equal to example.com/gpu limit of 2", Assert.Single(Pods.CreateErrors(bad)), StringComparison.Ordinal);
    }
}
