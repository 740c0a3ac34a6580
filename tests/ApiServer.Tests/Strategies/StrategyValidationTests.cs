using System.Text.Json.Nodes;

namespace Weft.ApiServer.Tests.Strategies;

public sealed class StrategyValidationTests
{
    private const string Crd = "customresourcedefinitions.apiextensions.k8s.io";
    private const string Schema = "spec.versions[0].schema.openAPIV3Schema";

    public static TheoryData<string> Kinds => [.. Subject.Resources.Select(resource => resource.Resource.Qualified)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_good_object_of_each_kind_is_accepted_and_can_be_written_back(string kind)
    {
        var (subject, good) = (StrategyCases.Kind(kind), StrategyCases.Good[kind]);
        Assert.Empty(subject.CreateErrors(good));
        var stored = subject.Create(good);
        Assert.Empty(subject.UpdateErrors(stored, stored));
        Assert.True(JsonNode.DeepEquals(stored, subject.Update(stored, stored)), "an unchanged write changed the object");
        if (subject.Resource.HasStatus)
            Assert.True(JsonNode.DeepEquals(stored, subject.Update(stored, stored, "status")), "an unchanged status write changed the object");
    }

    [Theory]
    // Storage
    [InlineData("persistentvolumeclaims", "spec.accessModes", "-", "spec.accessModes: Required value: at least 1 access mode is required")]
    [InlineData("persistentvolumeclaims", "spec.accessModes", "[\"Often\"]", "spec.accessModes[0]: Unsupported value: \"Often\"")]
    [InlineData("persistentvolumeclaims", "spec.accessModes", "[\"ReadWriteOncePod\",\"ReadWriteOnce\"]", "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes")]
    [InlineData("persistentvolumeclaims", "spec.resources", "-", "spec.resources[storage]: Required value")]
    [InlineData("persistentvolumeclaims", "spec.resources.requests.storage", "\"0\"", "spec.resources.requests.storage: Invalid value: \"0\": must be greater than zero")]
    [InlineData("persistentvolumes", "spec.hostPath", "-", "spec: Required value: must specify a volume type")]
    [InlineData("persistentvolumes", "spec.hostPath.path", "\"/a/../b\"", "spec.hostPath.path: Invalid value: \"/a/../b\": must not contain '..'")]
    [InlineData("persistentvolumes", "spec.capacity", "-", "spec.capacity: Required value")]
    [InlineData("persistentvolumes", "spec.nfs", "{\"server\":\"a\",\"path\":\"/b\"}", "spec.nfs: Forbidden: may not specify more than 1 volume type")]
    [InlineData("persistentvolumes", "spec.persistentVolumeReclaimPolicy", "\"Keep\"", "spec.persistentVolumeReclaimPolicy: Unsupported value: \"Keep\"")]
    [InlineData("storageclasses.storage.k8s.io", "provisioner", "\"\"", "provisioner: Required value")]
    [InlineData("storageclasses.storage.k8s.io", "volumeBindingMode", "\"Later\"", "volumeBindingMode: Unsupported value: \"Later\"")]
    // Quotas and limits
    [InlineData("resourcequotas", "spec.hard", "{\"pods\":\"-1\"}", "spec.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0")]
    [InlineData("resourcequotas", "spec.hard", "{\"pods\":\"1.5\"}", "spec.hard[pods]: Invalid value: \"1500m\": must be an integer")]
    [InlineData("resourcequotas", "spec.hard", "{\"walls\":\"1\"}", "spec.hard[walls]: Invalid value: \"walls\": must be a standard resource for quota")]
    [InlineData("resourcequotas", "spec.hard", "{\"services\":\"1\"}", "spec.scopes[0]: Invalid value: \"NotTerminating\": unsupported scope applied to resource")]
    [InlineData("resourcequotas", "spec.scopes", "[\"Now\"]", "spec.scopes[0]: Unsupported value: \"Now\"")]
    [InlineData("resourcequotas", "spec.scopes", "[\"BestEffort\"]", "spec.scopes[0]: Invalid value: \"BestEffort\": unsupported scope applied to resource")]
    [InlineData("resourcequotas", "spec.scopes", "[\"Terminating\",\"NotTerminating\"]", "spec.scopes: Invalid value: [\"Terminating\",\"NotTerminating\"]: conflicting scopes")]
    [InlineData("resourcequotas", "spec.scopeSelector.matchExpressions[0].values", "-", "spec.scopeSelector.matchExpressions[0].values: Required value")]
    [InlineData("resourcequotas", "spec.scopeSelector.matchExpressions[0].operator", "\"Like\"", "spec.scopeSelector.matchExpressions[0].operator: Unsupported value: \"Like\"")]
    [InlineData("limitranges", "spec.limits[1].min", "{\"memory\":\"2Gi\"}", "spec.limits[1].min[memory]: Invalid value: \"2Gi\": min value 2Gi is greater than max value 1Gi")]
    [InlineData("limitranges", "spec.limits[0]", "{\"type\":\"Container\",\"default\":{\"cpu\":\"3\"},\"defaultRequest\":{\"cpu\":\"1\"},\"max\":{\"cpu\":\"2\"}}", "spec.limits[0].default[cpu]: Invalid value: \"3\": default value 3 is greater than max value 2")]
    [InlineData("limitranges", "spec.limits[0].max.wall", "\"3\"", "spec.limits[0].max[wall]: Invalid value: \"wall\": must be a standard resource for containers")]
    [InlineData("limitranges", "spec.limits[0].maxLimitRequestRatio.cpu", "\"500m\"", "spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: \"500m\": ratio 500m is less than 1")]
    [InlineData("limitranges", "spec.limits[1].default", "{\"cpu\":\"1\"}", "spec.limits[1].default: Forbidden: may not be specified when `type` is 'Pod'")]
    [InlineData("limitranges", "spec.limits[1].type", "\"Container\"", "spec.limits[1].type: Duplicate value: \"Container\"")]
    [InlineData("limitranges", "spec.limits[2].min", "-", "spec.limits[2]: Required value: either minimum or maximum storage value is required, but neither was provided")]
    // StatefulSet, DaemonSet, Job, CronJob, ReplicationController
    [InlineData("statefulsets.apps", "spec.updateStrategy", "{\"type\":\"OnDelete\",\"rollingUpdate\":{}}", "spec.updateStrategy.rollingUpdate: Invalid value")]
    [InlineData("statefulsets.apps", "spec.updateStrategy", "{\"rollingUpdate\":{\"partition\":-1}}", "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1")]
    [InlineData("statefulsets.apps", "spec.podManagementPolicy", "\"Slow\"", "spec.podManagementPolicy: Unsupported value: \"Slow\"")]
    [InlineData("statefulsets.apps", "spec.template.spec.containers[0].volumeMounts[0].name", "\"other\"", "spec.template.spec.containers[0].volumeMounts[0].name: Not found")]
    [InlineData("statefulsets.apps", "spec.volumeClaimTemplates[0].spec.accessModes", "[]", "spec.volumeClaimTemplates[0].spec.accessModes: Required value")]
    [InlineData("daemonsets.apps", "spec.updateStrategy", "{\"rollingUpdate\":{\"maxUnavailable\":0}}", "spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0")]
    [InlineData("daemonsets.apps", "spec.updateStrategy", "{\"rollingUpdate\":{\"maxUnavailable\":1,\"maxSurge\":1}}", "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero")]
    [InlineData("jobs.batch", "spec.template.spec.restartPolicy", "\"Always\"", "spec.template.spec.restartPolicy: Unsupported value: \"Always\": supported values: \"OnFailure\", \"Never\"")]
    [InlineData("jobs.batch", "spec.backoffLimit", "-1", "spec.backoffLimit: Invalid value: -1")]
    [InlineData("jobs.batch", "spec.backoffLimitPerIndex", "1", "spec.backoffLimitPerIndex: Invalid value: 1: when backoffLimitPerIndex is specified the completion mode must be Indexed")]
    [InlineData("jobs.batch", "spec.podFailurePolicy", "{\"rules\":[{\"action\":\"Ignore\"}]}", "spec.podFailurePolicy.rules[0]: Invalid value: {\"action\":\"Ignore\"}: specifying one of OnExitCodes and OnPodConditions is required")]
    [InlineData("cronjobs.batch", "spec.schedule", "\"* * * *\"", "spec.schedule: Invalid value: \"* * * *\": expected exactly 5 fields")]
    [InlineData("cronjobs.batch", "spec.schedule", "\"61 * * * *\"", "spec.schedule: Invalid value: \"61 * * * *\": minute '61'")]
    [InlineData("cronjobs.batch", "spec.schedule", "\"TZ=UTC * * * * *\"", "spec.schedule: Invalid value: \"TZ=UTC * * * * *\": cannot use TZ or CRON_TZ in schedule")]
    [InlineData("cronjobs.batch", "spec.timeZone", "\"Mars/Olympus\"", "spec.timeZone: Invalid value: \"Mars/Olympus\": unknown time zone")]
    [InlineData("cronjobs.batch", "metadata.name", "\"a-name-of-a-cron-job-that-is-longer-than-fifty-two-chars\"", "metadata.name: Invalid value: \"a-name-of-a-cron-job-that-is-longer-than-fifty-two-chars\": must be no more than 52 characters")]
    [InlineData("replicationcontrollers", "spec.selector", "{\"app\":\"db\"}", "spec.template.metadata.labels: Invalid value: {\"app\":\"web\"}: `selector` does not match template `labels`")]
    // Budgets, policies, ingresses
    [InlineData("poddisruptionbudgets.policy", "spec.maxUnavailable", "1", "spec: Invalid value: {\"minAvailable\":\"50%\",\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"maxUnavailable\":1}: minAvailable and maxUnavailable cannot be both set")]
    [InlineData("poddisruptionbudgets.policy", "spec.minAvailable", "\"101%\"", "spec.minAvailable: Invalid value: \"101%\": must not be greater than 100%")]
    [InlineData("networkpolicies.networking.k8s.io", "spec.policyTypes", "[\"Sideways\"]", "spec.policyTypes[0]: Unsupported value: \"Sideways\"")]
    [InlineData("networkpolicies.networking.k8s.io", "spec.ingress[0].from[0]", "{}", "spec.ingress[0].from[0]: Required value: must specify a peer")]
    [InlineData("networkpolicies.networking.k8s.io", "spec.ingress[0].from[1].ipBlock.except", "[\"11.0.0.0/8\"]", "spec.ingress[0].from[1].ipBlock.except[0]: Invalid value: \"11.0.0.0/8\": must be a strict subset of `cidr`")]
    [InlineData("networkpolicies.networking.k8s.io", "spec.ingress[0].ports[0].endPort", "79", "spec.ingress[0].ports[0].endPort: Invalid value: 79: must be greater than or equal to `port`")]
    [InlineData("networkpolicies.networking.k8s.io", "spec.ingress[0].ports[1].endPort", "79", "spec.ingress[0].ports[1].endPort: Invalid value: 79: may not be specified when `port` is non-numeric")]
    [InlineData("ingresses.networking.k8s.io", "spec.rules", "-", "spec: Invalid value: {}: either `defaultBackend` or `rules` must be specified")]
    [InlineData("ingresses.networking.k8s.io", "spec.rules[0].host", "\"10.0.0.1\"", "spec.rules[0].host: Invalid value: \"10.0.0.1\": must be a DNS name, not an IP address")]
    [InlineData("ingresses.networking.k8s.io", "spec.rules[0].http.paths[0].path", "\"a\"", "spec.rules[0].http.paths[0].path: Invalid value: \"a\": must be an absolute path")]
    [InlineData("ingresses.networking.k8s.io", "spec.rules[0].http.paths[0].backend.service.port", "{}", "spec.rules[0].http.paths[0].backend.service: Required value: port name or number is required")]
    [InlineData("ingressclasses.networking.k8s.io", "spec.controller", "\"weft\"", "spec.controller: Invalid value: \"weft\": must be a domain-prefixed path")]
    // Deployment, ReplicaSet, ControllerRevision
    [InlineData("deployments.apps", "spec", "-", "spec.selector: Required value")]
    [InlineData("deployments.apps", "spec.replicas", "-1", "spec.replicas: Invalid value: -1: must be greater than or equal to 0")]
    [InlineData("deployments.apps", "spec.selector", "-", "spec.selector: Required value")]
    [InlineData("deployments.apps", "spec.selector", "{}", "spec.selector: Invalid value: {}: empty selector is invalid for deployment")]
    [InlineData("deployments.apps", "spec.selector.matchLabels", "{\"app\":\"db\"}", "spec.template.metadata.labels: Invalid value: {\"app\":\"web\"}: `selector` does not match template `labels`")]
    [InlineData("deployments.apps", "spec.selector.matchExpressions", "[{\"key\":\"a\",\"operator\":\"In\"}]", "spec.selector.matchExpressions[0].values: Required value")]
    [InlineData("deployments.apps", "spec.template", "-", "spec.template: Required value")]
    [InlineData("deployments.apps", "spec.template.spec", "-", "spec.template.spec.containers: Required value")]
    [InlineData("deployments.apps", "spec.template.spec.containers[0].name", "\"\"", "spec.template.spec.containers[0].name: Required value")]
    [InlineData("deployments.apps", "spec.template.spec.containers[0].ports", "[{\"containerPort\":99999}]", "spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 99999")]
    [InlineData("deployments.apps", "spec.template.spec.restartPolicy", "\"Never\"", "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"")]
    [InlineData("deployments.apps", "spec.template.spec.activeDeadlineSeconds", "5", "spec.template.spec.activeDeadlineSeconds: Forbidden")]
    [InlineData("deployments.apps", "spec.strategy", "{\"type\":\"Recreate\",\"rollingUpdate\":{}}", "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'")]
    [InlineData("deployments.apps", "spec.strategy", "{\"type\":\"Slow\"}", "spec.strategy.type: Unsupported value: \"Slow\"")]
    [InlineData("deployments.apps", "spec.strategy", "{\"rollingUpdate\":{\"maxSurge\":0,\"maxUnavailable\":\"0%\"}}", "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"0%\": may not be 0 when `maxSurge` is 0")]
    [InlineData("deployments.apps", "spec.strategy", "{\"rollingUpdate\":{\"maxSurge\":\"many\"}}", "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"many\"")]
    [InlineData("deployments.apps", "spec.strategy", "{\"rollingUpdate\":{\"maxUnavailable\":\"101%\"}}", "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"101%\": must not be greater than 100%")]
    [InlineData("deployments.apps", "spec.progressDeadlineSeconds", "0", "spec.progressDeadlineSeconds: Invalid value: 0: must be greater than minReadySeconds")]
    [InlineData("replicasets.apps", "spec.template", "-", "spec.template: Required value")]
    [InlineData("replicasets.apps", "spec.selector", "{}", "spec.selector: Invalid value: {}: empty selector is invalid for replica set")]
    [InlineData("controllerrevisions.apps", "data", "-", "data: Required value: data is mandatory")]
    [InlineData("controllerrevisions.apps", "revision", "-1", "revision: Invalid value: -1")]
    // Services and endpoints
    [InlineData("services", "metadata.name", "\"1web\"", "metadata.name: Invalid value: \"1web\": must be a DNS-1035 label")]
    [InlineData("services", "spec.ports", "[]", "spec.ports: Required value")]
    [InlineData("services", "spec.ports[0].port", "-", "spec.ports[0].port: Required value")]
    [InlineData("services", "spec.ports[0].port", "70000", "spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive")]
    [InlineData("services", "spec.ports[1]", "{\"port\":81}", "spec.ports[1].name: Required value")]
    [InlineData("services", "spec.ports[1]", "{\"port\":81,\"name\":\"http\"}", "spec.ports[1].name: Duplicate value: \"http\"")]
    [InlineData("services", "spec.ports[1]", "{\"port\":80,\"name\":\"b\"}", "spec.ports[1]: Duplicate value")]
    [InlineData("services", "spec", "{\"type\":\"ClusterIP\",\"ports\":[{\"port\":80,\"nodePort\":30000}]}", "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'")]
    [InlineData("services", "spec.ports[0].targetPort", "\"-x\"", "spec.ports[0].targetPort: Invalid value: \"-x\"")]
    [InlineData("services", "spec.type", "\"Open\"", "spec.type: Unsupported value: \"Open\"")]
    [InlineData("services", "spec.type", "\"ExternalName\"", "spec.externalName: Required value")]
    [InlineData("services", "spec.clusterIP", "\"10.0.0\"", "spec.clusterIP: Invalid value: \"10.0.0\": must be empty, 'None', or a valid IP address")]
    [InlineData("services", "spec.selector", "{\"a\":\"b c\"}", "spec.selector: Invalid value: \"b c\"")]
    [InlineData("services", "spec.externalIPs", "[\"127.0.0.1\"]", "spec.externalIPs[0]: Invalid value: \"127.0.0.1\"")]
    [InlineData("services", "spec.externalIPs", "[\"::ffff:127.0.0.2\"]", "spec.externalIPs[0]: Invalid value: \"::ffff:127.0.0.2\": may not be in the loopback range")]
    [InlineData("services", "spec.externalIPs", "[\"169.254.169.254\"]", "spec.externalIPs[0]: Invalid value: \"169.254.169.254\": may not be in the link-local range")]
    [InlineData("endpointslices.discovery.k8s.io", "endpoints[0].addresses", "[\"169.254.169.254\"]", "endpoints[0].addresses[0]: Invalid value: \"169.254.169.254\": may not be in the link-local range")]
    [InlineData("endpointslices.discovery.k8s.io", "endpoints[0].addresses", "[\"127.0.0.53\"]", "endpoints[0].addresses[0]: Invalid value: \"127.0.0.53\": may not be in the loopback range")]
    [InlineData("endpointslices.discovery.k8s.io", "endpoints[0].addresses", "[\"224.0.0.251\"]", "endpoints[0].addresses[0]: Invalid value: \"224.0.0.251\": may not be a multicast or broadcast address")]
    [InlineData("services", "spec.externalTrafficPolicy", "\"Local\"", "spec.externalTrafficPolicy: Invalid value: \"Local\": may only be set for externally-accessible services")]
    [InlineData("services", "spec.loadBalancerSourceRanges", "[\"10.0.0.0/8\"]", "spec.loadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'")]
    [InlineData("services", "spec.ports[0].protocol", "\"SCTP\"", "spec.ports[0].protocol: Invalid value: \"SCTP\": SCTP is not supported by this cluster: use TCP or UDP")]
    [InlineData("services", "spec.ipFamilyPolicy", "\"RequireDualStack\"", "spec.ipFamilyPolicy: Invalid value: \"RequireDualStack\": this cluster is not configured for dual-stack services")]
    [InlineData("services", "spec.healthCheckNodePort", "30100", "spec.healthCheckNodePort: Invalid value: 30100: may only be set when `type` is 'LoadBalancer'")]
    [InlineData("services", "spec.ipFamilies", "[\"IPv5\"]", "spec.ipFamilies[0]: Unsupported value: \"IPv5\"")]
    [InlineData("endpoints", "subsets[0].addresses", "[]", "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`")]
    [InlineData("endpoints", "subsets[0].addresses[0].ip", "\"127.0.0.1\"", "subsets[0].addresses[0].ip: Invalid value: \"127.0.0.1\": may not be in the loopback range")]
    [InlineData("endpoints", "subsets[0].addresses[0].ip", "\"x\"", "subsets[0].addresses[0].ip: Invalid value: \"x\": must be a valid IP address")]
    [InlineData("endpoints", "subsets[0].ports[0].port", "0", "subsets[0].ports[0].port: Invalid value: 0")]
    [InlineData("endpointslices.discovery.k8s.io", "addressType", "\"IPv5\"", "addressType: Unsupported value: \"IPv5\"")]
    [InlineData("endpointslices.discovery.k8s.io", "addressType", "\"IPv6\"", "endpoints[0].addresses[0]: Invalid value: \"10.0.0.1\": must be a valid IPv6 address")]
    [InlineData("endpointslices.discovery.k8s.io", "endpoints[0].addresses", "[]", "endpoints[0].addresses: Required value: must contain at least 1 address")]
    [InlineData("endpointslices.discovery.k8s.io", "endpoints", "-", "endpoints: Required value")]
    [InlineData("endpointslices.discovery.k8s.io", "ports[1]", "{\"port\":81}", "ports[1].name: Duplicate value: \"\"")]
    // Configuration
    [InlineData("configmaps", "data", "{\"a b\":\"c\"}", "data[a b]: Invalid value: \"a b\"")]
    [InlineData("configmaps", "data.c", "\"x\"", "data[c]: Invalid value: \"c\": duplicate of key present in binaryData")]
    [InlineData("configmaps", "binaryData.c", "\"%%\"", "binaryData[c]: Invalid value: \"%%\"")]
    [InlineData("configmaps", "data", "{\"..x\":\"c\"}", "data[..x]: Invalid value: \"..x\": must not start with '..'")]
    [InlineData("secrets", "data", "{\"a/b\":\"\"}", "data[a/b]: Invalid value: \"a/b\"")]
    [InlineData("secrets", "type", "\"kubernetes.io/tls\"", "data[tls.crt]: Required value")]
    [InlineData("secrets", "type", "\"kubernetes.io/ssh-auth\"", "data[ssh-privatekey]: Required value")]
    [InlineData("secrets", "type", "\"kubernetes.io/basic-auth\"", "data[username]: Required value")]
    [InlineData("secrets", "type", "\"kubernetes.io/dockerconfigjson\"", "data[.dockerconfigjson]: Required value")]
    [InlineData("secrets", "type", "\"kubernetes.io/service-account-token\"", "metadata.annotations[kubernetes.io/service-account.name]: Required value")]
    [InlineData("serviceaccounts", "metadata.name", "\"A\"", "metadata.name: Invalid value: \"A\"")]
    // Cluster
    [InlineData("namespaces", "metadata.name", "\"a.b\"", "metadata.name: Invalid value: \"a.b\": must be a lowercase RFC 1123 label")]
    [InlineData("namespaces", "metadata.namespace", "\"x\"", "metadata.namespace: Forbidden: not allowed on this type")]
    [InlineData("namespaces", "spec.finalizers", "[\"a b\"]", "spec.finalizers[0]: Invalid value: \"a b\"")]
    [InlineData("nodes", "spec.taints[1]", "{\"key\":\"a\",\"effect\":\"NoSchedule\"}", "spec.taints[1]: Duplicate value")]
    [InlineData("nodes", "spec.taints[0].effect", "\"Never\"", "spec.taints[0].effect: Unsupported value: \"Never\"")]
    [InlineData("nodes", "spec.podCIDRs", "[\"10.0.0.0\"]", "spec.podCIDRs[0]: Invalid value: \"10.0.0.0\"")]
    [InlineData("nodes", "status.capacity.cpu", "\"x\"", "status.capacity[cpu]: Invalid value: \"x\"")]
    [InlineData("events", "involvedObject.namespace", "\"other\"", "involvedObject.namespace: Invalid value: \"other\": does not match event.namespace")]
    [InlineData("events", "involvedObject", "-", "involvedObject: Required value")]
    [InlineData("events.events.k8s.io", "action", "-", "action: Required value")]
    [InlineData("events.events.k8s.io", "type", "\"Odd\"", "type: Invalid value: \"Odd\"")]
    [InlineData("events.events.k8s.io", "eventTime", "-", "eventTime: Required value")]
    [InlineData("leases.coordination.k8s.io", "spec.leaseDurationSeconds", "0", "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0")]
    [InlineData("leases.coordination.k8s.io", "spec.renewTime", "\"yesterday\"", "spec.renewTime: Invalid value: \"yesterday\"")]
    [InlineData("runtimeclasses.node.k8s.io", "handler", "\"A\"", "handler: Invalid value: \"A\"")]
    [InlineData("runtimeclasses.node.k8s.io", "handler", "-", "handler: Required value")]
    [InlineData("runtimeclasses.node.k8s.io", "overhead", "{\"podFixed\":{\"cpu\":\"x\"}}", "overhead.podFixed[cpu]: Invalid value: \"x\"")]
    [InlineData("priorityclasses.scheduling.k8s.io", "value", "1000000001", "value: Forbidden: maximum allowed value of a user defined priority is 1000000000")]
    [InlineData("priorityclasses.scheduling.k8s.io", "metadata.name", "\"system-x\"", "metadata.name: Forbidden")]
    // RBAC
    [InlineData("roles.rbac.authorization.k8s.io", "metadata.name", "\"a/b\"", "metadata.name: Invalid value: \"a/b\": may not contain '/'")]
    [InlineData("roles.rbac.authorization.k8s.io", "rules[0].verbs", "[]", "rules[0].verbs: Required value: verbs must contain at least one value")]
    [InlineData("roles.rbac.authorization.k8s.io", "rules[0].apiGroups", "[]", "rules[0].apiGroups: Required value")]
    [InlineData("roles.rbac.authorization.k8s.io", "rules[0].resources", "[]", "rules[0].resources: Required value")]
    [InlineData("roles.rbac.authorization.k8s.io", "rules", "[{\"verbs\":[\"get\"],\"nonResourceURLs\":[\"/\"]}]", "rules[0].nonResourceURLs: Invalid value: [\"/\"]: namespaced rules cannot apply to non-resource URLs")]
    [InlineData("clusterroles.rbac.authorization.k8s.io", "aggregationRule", "{}", "aggregationRule.clusterRoleSelectors: Required value")]
    [InlineData("rolebindings.rbac.authorization.k8s.io", "roleRef", "-", "roleRef: Required value")]
    [InlineData("rolebindings.rbac.authorization.k8s.io", "roleRef.kind", "\"Group\"", "roleRef.kind: Unsupported value: \"Group\": supported values: \"Role\", \"ClusterRole\"")]
    [InlineData("rolebindings.rbac.authorization.k8s.io", "subjects[0].kind", "\"Robot\"", "subjects[0].kind: Unsupported value: \"Robot\"")]
    [InlineData("rolebindings.rbac.authorization.k8s.io", "subjects[1].namespace", "-", "subjects[1].namespace: Required value")]
    [InlineData("clusterrolebindings.rbac.authorization.k8s.io", "roleRef.kind", "\"Role\"", "roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\"")]
    // Reviews
    [InlineData("subjectaccessreviews.authorization.k8s.io", "spec.user", "-", "spec.user: Invalid value: null: at least one of user or group must be specified")]
    [InlineData("selfsubjectaccessreviews.authorization.k8s.io", "spec", "{}", "spec.resourceAttributes: Invalid value: null: exactly one of")]
    [InlineData("tokenreviews.authentication.k8s.io", "spec", "-", "spec: Required value")]
    // Custom kinds
    [InlineData(Crd, "metadata.name", "\"things.example.com\"", "metadata.name: Invalid value: \"things.example.com\": must be spec.names.plural+\".\"+spec.group")]
    [InlineData(Crd, "spec.scope", "\"World\"", "spec.scope: Unsupported value: \"World\"")]
    [InlineData(Crd, "spec.names.kind", "\"Wid get\"", "spec.names.singular: Invalid value: \"wid get\"")]
    [InlineData(Crd, "spec.names.listKind", "\"Widget\"", "spec.names.listKind: Invalid value: \"Widget\": kind and listKind may not be the same")]
    [InlineData(Crd, "spec.versions[0].storage", "false", "spec.versions: Invalid value")]
    [InlineData(Crd, "spec.versions", "[]", "spec.versions: Required value")]
    [InlineData(Crd, "spec.versions[0].schema", "-", "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required")]
    [InlineData(Crd, "spec.versions[0].subresources", "{\"scale\":{\"specReplicasPath\":\".status.x\",\"statusReplicasPath\":\".status.x\"}}", "spec.versions[0].subresources.scale.specReplicasPath: Invalid value: \".status.x\"")]
    [InlineData(Crd, "spec.versions[0].additionalPrinterColumns", "[{\"name\":\"a\",\"type\":\"picture\",\"jsonPath\":\".a\"}]", "spec.versions[0].additionalPrinterColumns[0].type: Unsupported value: \"picture\"")]
    [InlineData(Crd, "spec.conversion", "{\"strategy\":\"Webhook\"}", "spec.conversion.webhook.clientConfig: Required value")]
    [InlineData(Crd, "spec.preserveUnknownFields", "true", "spec.preserveUnknownFields: Invalid value: true")]
    [InlineData(Crd, Schema + ".type", "\"string\"", Schema + ".type: Invalid value: \"string\": must be object at the root")]
    [InlineData(Crd, Schema + ".properties.spec.type", "-", Schema + ".properties[spec].type: Required value: must not be empty for specified object fields")]
    [InlineData(Crd, Schema + ".properties.spec.type", "\"thing\"", Schema + ".properties[spec].type: Unsupported value: \"thing\"")]
    [InlineData(Crd, Schema + ".properties.spec.properties.parts.items", "-", Schema + ".properties[spec].properties[parts].items: Required value: must be specified")]
    [InlineData(Crd, Schema + ".properties.spec.properties.parts.uniqueItems", "true", Schema + ".properties[spec].properties[parts].uniqueItems: Forbidden")]
    [InlineData(Crd, Schema + ".properties.spec.properties.parts.x-kubernetes-list-type", "\"map\"", Schema + ".properties[spec].properties[parts].x-kubernetes-list-map-keys: Required value")]
    [InlineData(Crd, Schema + ".properties.spec.additionalProperties", "{\"type\":\"string\"}", Schema + ".properties[spec].additionalProperties: Forbidden")]
    [InlineData(Crd, Schema + ".properties.spec.properties.size.default", "\"big\"", Schema + ".properties[spec].properties[size].default: Invalid value: \"big\"")]
    [InlineData(Crd, Schema + ".properties.spec.default", "{\"size\":-1}", Schema + ".properties[spec].default: Invalid value: {\"size\":-1}: size: Invalid value: -1")]
    [InlineData(Crd, Schema + ".properties.spec.$ref", "\"#/a\"", Schema + ".properties[spec].$ref: Forbidden")]
    [InlineData(Crd, Schema + ".properties.spec.anyOf", "[{\"type\":\"object\"}]", Schema + ".properties[spec].anyOf[0].type: Forbidden: must be empty to be structural")]
    [InlineData(Crd, Schema + ".properties.spec.anyOf", "[{\"properties\":{\"other\":{}}}]", Schema + ".properties[spec].properties[other]: Required value: because it is defined in")]
    public void A_bad_field_is_named(string kind, string path, string json, string error)
    {
        var errors = StrategyCases.Kind(kind).CreateErrors(Subject.With(StrategyCases.Good[kind], (path, json)));
        Assert.True(errors.Count > 0 && errors[0].StartsWith(error, StringComparison.Ordinal), $"expected {error}\nfound    {string.Join("\n         ", errors)}");
    }

    [Theory]
    [InlineData("deployments.apps", "spec.selector.matchLabels", "{\"app\":\"db\"}", "spec.selector: Invalid value")]
    [InlineData("services", "spec.clusterIP", "\"10.96.0.9\"", "spec.clusterIP: Invalid value: \"10.96.0.9\": field is immutable")]
    [InlineData("endpointslices.discovery.k8s.io", "addressType", "\"IPv6\"", "addressType: Invalid value: \"IPv6\": field is immutable")]
    [InlineData("secrets", "type", "\"other\"", "type: Invalid value: \"other\": field is immutable")]
    [InlineData("controllerrevisions.apps", "data", "{\"a\":2}", "data: Invalid value")]
    [InlineData("priorityclasses.scheduling.k8s.io", "value", "5", "value: Invalid value: 5: field is immutable")]
    [InlineData("runtimeclasses.node.k8s.io", "handler", "\"other\"", "handler: Invalid value: \"other\": field is immutable")]
    [InlineData("rolebindings.rbac.authorization.k8s.io", "roleRef.name", "\"other\"", "roleRef: Invalid value")]
    [InlineData("nodes", "spec.podCIDR", "\"10.2.0.0/24\"", "spec.podCIDR: Forbidden")]
    [InlineData("pods", "metadata.namespace", "\"other\"", "metadata.namespace: Invalid value: \"other\": field is immutable")]
    public void Some_fields_never_change(string kind, string path, string json, string error)
    {
        var subject = StrategyCases.Kind(kind);
        var old = subject.Create(StrategyCases.Good[kind]);
        if (kind == "services")
            old = Subject.With(old, ("spec.clusterIP", "\"10.96.0.5\""));
        Assert.Contains(subject.UpdateErrors(Subject.With(old, (path, json)), old), found => found.StartsWith(error, StringComparison.Ordinal));
    }
}
