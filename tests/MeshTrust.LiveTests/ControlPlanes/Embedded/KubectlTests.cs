using MeshTrust.ControlPlanes.Embedded;
using MeshTrust.Settings;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.ControlPlanes.Embedded;

/// <summary>
/// What the embedded server supports and a bare kube-apiserver does not, and the usual read commands; the contract has the flows that both support.
/// </summary>
[TestFixture("kubectl")]
[TestFixture("kubectl-1.35")]
[Category(OutsideTool.Category)]
public sealed class KubectlTests(string program)
{
    private ScratchDirectory _scratch = null!;
    private EmbeddedControlPlane _plane = null!;
    private Kubectl _kubectl = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _scratch = new ScratchDirectory();
        _plane = await EmbeddedControlPlane.StartAsync(new EmbeddedControlPlaneOptions { Name = ClusterName.Parse("east") }, CancellationToken.None);
        _kubectl = new Kubectl(_scratch.Write("config", _plane.KubeconfigText), _scratch.File("cache"), program);
        _kubectl.Do("create", "namespace", "shop");
        _kubectl.Do("create", "serviceaccount", "reader", "-n", "shop");
        _kubectl.Do("create", "role", "reader", "-n", "shop", "--verb=get,list", "--resource=secrets");
        _kubectl.Do("create", "rolebinding", "readers", "-n", "shop", "--role=reader", "--serviceaccount=shop:reader");
        _kubectl.Do("create", "configmap", "settings", "-n", "shop", "--from-literal=a=b");
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_plane is not null) await _plane.DisposeAsync();
        _scratch?.Dispose();
    }

    [Test]
    public void Deletes_a_namespace_with_its_contents()
    {
        _kubectl.Do("create", "namespace", "label");
        _kubectl.Do("create", "configmap", "inside", "-n", "label", "--from-literal=a=b");
        _kubectl.Do("create", "serviceaccount", "inside", "-n", "label");
        _kubectl.Do("delete", "namespace", "label", "--timeout=20s");
        _kubectl.Do("create", "namespace", "label");
        Assert.That(_kubectl.Fail("get", "configmap", "inside", "-n", "label"), Does.Contain("NotFound"));
        Assert.That(_kubectl.Fail("get", "serviceaccount", "inside", "-n", "label"), Does.Contain("NotFound"));
    }

    [TestCase("version", @"Server Version: v1\.36\.2\+embedded")]
    [TestCase("auth whoami", "Username +kubernetes-admin")]
    [TestCase("auth can-i --list", @"\*\.\* +\[\] +\[\] +\[\*\]")]
    [TestCase("auth can-i --list -n shop --as=system:serviceaccount:shop:reader", @"secrets +\[\] +\[\] +\[get list\]")]
    [TestCase("auth can-i list secrets -n shop --as=system:serviceaccount:shop:reader", "^yes\n$")]
    [TestCase("create token reader -n shop", @"^[\w-]+\.[\w-]+\.[\w-]+\n?$")]
    [TestCase("create token reader -n shop --audience=vault --duration=20m", @"^[\w-]+\.[\w-]+\.[\w-]+\n?$")]
    [TestCase("get all -A", "^$")]
    [TestCase("get events -A", "^$")]
    [TestCase("events -n shop", "^$")]
    [TestCase("get sa -n shop", "NAME +SECRETS +AGE\nreader +0")]
    [TestCase("get roles,rolebindings -n shop", @"rolebinding\.rbac\.authorization\.k8s\.io/readers +Role/reader")]
    [TestCase("get clusterroles", "cluster-admin")]
    [TestCase("describe configmap settings -n shop", @"Name: +settings\n")]
    [TestCase("describe serviceaccount reader -n shop", @"Events: +<none>")]
    [TestCase("describe namespace shop", @"Status: +Active")]
    [TestCase("describe role reader -n shop", @"secrets +\[\] +\[\] +\[get list\]")]
    [TestCase("describe rolebinding readers -n shop", "ServiceAccount +reader +shop")]
    [TestCase("explain secret.data", @"FIELD: data <map\[string\]string>")]
    [TestCase("explain role.rules.verbs", @"FIELD: verbs <\[\]string>")]
    [TestCase("explain configmap --recursive", "binaryData")]
    [TestCase("api-resources", "serviceaccounts +sa +v1 +true +ServiceAccount")]
    [TestCase("api-versions", @"rbac\.authorization\.k8s\.io/v1\n")]
    [TestCase("annotate configmap settings -n shop note=one --overwrite", "configmap/settings annotated")]
    [TestCase("wait --for=jsonpath={.data.a}=b configmap/settings -n shop --timeout=20s", "condition met")]
    [TestCase("create clusterrole peek --verb=get --non-resource-url=/metrics", "clusterrole.rbac.authorization.k8s.io/peek created")]
    public void Lists_and_describes_what_is_there(string arguments, string answer) => Assert.That(_kubectl.Do(arguments.Split(' ')), Does.Match(answer));

    [TestCase("cluster-info", "the server doesn't have a resource type \"services\"")]
    [TestCase("get svc", "the server doesn't have a resource type \"svc\"")]
    [TestCase("get pods -A", "the server doesn't have a resource type \"pods\"")]
    [TestCase("top nodes", "Metrics API not available")]
    [TestCase("run p --image=x", "no matches for kind \"Pod\" in version \"v1\"")]
    [TestCase("apply -f {0}", "no matches for kind \"Service\" in version \"v1\"")]
    [TestCase("apply --server-side -f {0}", "no matches for kind \"Service\" in version \"v1\"")]
    [TestCase("create -f {0}", "no matches for kind \"Service\" in version \"v1\"")]
    [TestCase("apply -f {1}", "no matches for kind \"Gateway\" in version \"networking.istio.io/v1\"")]
    public void Says_what_the_server_does_not_support(string arguments, string reason)
    {
        var service = _scratch.Write("service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 80}]}\n");
        var gateway = _scratch.Write("gateway.yaml", "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: x}\n");
        var words = arguments.Split(' ').Select(a => a.Replace("{0}", service, StringComparison.Ordinal).Replace("{1}", gateway, StringComparison.Ordinal));
        Assert.That(_kubectl.Fail([.. words]), Does.Contain(reason));
    }

    [Test]
    public void Edits()
    {
        var editor = _scratch.Write("editor.sh", "sed -i 's/^  a: .*/  a: edited/' \"$1\"\n");
        var result = _kubectl.Try(new Dictionary<string, string> { ["KUBE_EDITOR"] = $"sh {editor}" }, "edit", "configmap", "settings", "-n", "shop");
        Assert.That(result.Output, Is.EqualTo("configmap/settings edited\n"), result.ToString());
        _kubectl.Do("patch", "configmap", "settings", "-n", "shop", "-p", """{"data":{"a":"b"}}""");
    }

    [Test]
    public void Helm_installs_upgrades_rolls_back_and_says_what_the_server_does_not_support()
    {
        var helm = OutsideTool.Find("helm");
        var environment = new[] { "CACHE", "CONFIG", "DATA" }.ToDictionary(n => $"HELM_{n}_HOME", _ => _scratch.File("helm"));
        environment["KUBECONFIG"] = _scratch.File("config");
        string Run(int code, params string[] arguments)
        {
            var result = OutsideTool.Run(helm, arguments, input: null, environment);
            Assert.That(result.ExitCode, Is.EqualTo(code), $"helm {string.Join(' ', arguments)}: {result}");
            return result.Output + result.Error;
        }

        var chart = _scratch.File($"chart-{program}");
        Directory.CreateDirectory(Path.Combine(chart, "templates"));
        void Write(string path, string text) => File.WriteAllText(Path.Combine(chart, path), text);
        Write("Chart.yaml", "apiVersion: v2\nname: till\nversion: 1.0.0\nkubeVersion: '>= 1.32.0-0'\n");
        Write("templates/all.yaml", """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: till}
            data: {value: "{{ .Values.value }}"}
            ---
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: till}
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: till}
            rules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]
            ---
            apiVersion: rbac.authorization.k8s.io/v1
            kind: RoleBinding
            metadata: {name: till}
            roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: till}
            subjects: [{kind: ServiceAccount, name: till, namespace: till}]
            """);
        string Value() => _kubectl.Do("get", "configmap", "till", "-n", "till", "-o", "jsonpath={.data.value}").Trim();

        Run(0, "install", "till", chart, "-n", "till", "--create-namespace", "--set", "value=one", "--wait");
        Assert.That((Value(), _kubectl.Do("auth", "can-i", "get", "secrets", "-n", "till", "--as=system:serviceaccount:till:till")), Is.EqualTo(("one", "yes\n")));
        Run(0, "upgrade", "till", chart, "-n", "till", "--set", "value=two");
        Assert.That(Value(), Is.EqualTo("two"));
        Run(0, "rollback", "till", "1", "-n", "till");
        Assert.That(Value(), Is.EqualTo("one"));
        Assert.That(Run(0, "list", "-n", "till"), Does.Contain("till").And.Contain("deployed"));
        Run(0, "uninstall", "till", "-n", "till");
        Assert.That(_kubectl.Fail("get", "serviceaccount", "till", "-n", "till"), Does.Contain("NotFound"));

        Write("templates/service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: till}\nspec: {ports: [{port: 80}]}\n");
        Assert.That(Run(1, "install", "till", chart, "-n", "till"), Does.Contain("no matches for kind \"Service\" in version \"v1\""));
    }
}
