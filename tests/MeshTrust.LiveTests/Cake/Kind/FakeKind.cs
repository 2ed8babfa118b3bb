using System.Net;
using System.Text.Json.Nodes;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;
using MeshTrust.Tests.Kubernetes;
using MeshTrust.Tests.Live;
using NSubstitute;
using global::Cake.Core;
using global::Cake.Core.IO;
using global::Cake.Core.Tooling;
using global::Cake.Frosting.MeshTrust.Kind;
using global::Cake.Frosting.MeshTrust.Tools;
using Path = System.IO.Path;

namespace MeshTrust.Tests.Cake.Kind;

/// <summary>
/// A machine where kind is a script and the engine is a folder: one file per container, with its id in it. The script fails as a test
/// requires; it is a real process run by the real tool, so its errors, deadlines and children are real.
/// </summary>
internal sealed class FakeKind : IContainerEngine, IDisposable
{
    private const string Script = """
        #!/bin/sh
        d="$(dirname "$0")"; verb="$1 $2"; name=""; config=""; kubeconfig=""; shift 2
        while [ $# -gt 0 ]; do
          case "$1" in --name) name="$2"; shift;; --config) config="$2"; shift;; --kubeconfig) kubeconfig="$2"; shift;; *) last="$1";; esac
          shift
        done
        [ "$verb" = "export logs" ] && { echo "logs $name" >> "$d/calls"; mkdir -p "$last"; echo boot > "$last/journal.log"; exit 0; }
        echo "$verb $name" >> "$d/calls"
        if [ "$verb" = "delete cluster" ]; then rm -f "$d/containers/$name"-*; [ -e "$d/undeletable" ] && exit 1; exit 0; fi
        if [ "$verb" = "get kubeconfig" ]; then sed "s/NAME/$name/g" "$d/kubeconfig"; exit 0; fi
        [ "$verb" = "create cluster" ] || exit 2
        echo "Creating cluster \"$name\" ..." >&2
        echo " • Preparing nodes 📦   ..." >&2
        [ -e "$d/hang-$name" ] && sleep 60
        echo x >> "$d/tries-$name"
        tries=$(wc -l < "$d/tries-$name" | tr -d ' ')
        cat /proc/sys/kernel/random/uuid > "$d/containers/$name-control-plane"
        if [ -e "$d/fault-$name-$tries" ]; then cat "$d/fault-$name-$tries" >&2; exit 1; fi
        sed "s/NAME/$name/g" "$d/kubeconfig" > "$kubeconfig"
        """;

    private const string Kubeconfig = """
        apiVersion: v1
        kind: Config
        clusters: [{name: kind-NAME, cluster: {server: "https://127.0.0.1:41000"}}]
        contexts: [{name: kind-NAME, context: {cluster: kind-NAME, user: kind-NAME}}]
        users: [{name: kind-NAME, user: {token: never-told}}]
        current-context: kind-NAME
        """;

    private readonly ScratchDirectory _scratch = new();
    private readonly Dictionary<string, MemoryClusterApi> _apis = [];

    public FakeKind()
    {
        Directory.CreateDirectory(Path.Combine(Bin, "containers"));
        _scratch.Write("bin/kubeconfig", Kubeconfig);
        _scratch.Write("bin/kind", Script.ReplaceLineEndings("\n"));
        if (!OperatingSystem.IsWindows()) System.IO.File.SetUnixFileMode(Path.Combine(Bin, "kind"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public ScratchDirectory Scratch => _scratch;

    public ContainerEngineChoice Engine => ContainerEngineChoice.Docker;

    public List<EngineNetwork> Networks { get; } = [];

    public List<string> Commands { get; } = [];

    /// <summary>What commands in containers read from standard input.</summary>
    public List<string> Inputs { get; } = [];

    public HashSet<string> Images { get; } = ["kindest/node:v1.35.0"];

    public List<ClusterProgress> Steps { get; } = [];

    public List<Problem> Warnings { get; } = [];

    /// <summary>What kubectl prints in a node; null if it fails.</summary>
    public Func<string, string?> Kubectl { get; set; } = _ => null;

    /// <summary>The manifests of the control plane in a node.</summary>
    public Func<string, string> Manifests { get; set; } = _ => "- --service-cluster-ip-range=10.96.0.0/16\n- --cluster-cidr=10.244.0.0/16\n";

    /// <summary>The free disk space of the nodes, in bytes; null if df fails.</summary>
    public long? Free { get; set; } = 20L << 30;

    /// <summary>Whether a node reports Ready.</summary>
    public Func<string, bool> IsReady { get; set; } = _ => true;

    private string Bin => _scratch.File("bin");

    /// <summary>The calls of kind, in order.</summary>
    public IReadOnlyList<string> Calls => System.IO.File.Exists(Path.Combine(Bin, "calls")) ? System.IO.File.ReadAllLines(Path.Combine(Bin, "calls")) : [];

    /// <summary>What an attempt of <c>kind create</c> prints before it fails.</summary>
    public void Fail(string cluster, int tries, string error) => _scratch.Write($"bin/fault-{cluster}-{tries}", error);

    public void Hang(string cluster) => _scratch.Write($"bin/hang-{cluster}", "");

    public void RefuseToDelete() => _scratch.Write("bin/undeletable", "");

    /// <summary>A container created by someone else; the same name again gets another id.</summary>
    public void Make(string container, bool running = true) => _scratch.Write($"bin/containers/{container}", Guid.NewGuid().ToString() + (running ? "" : "\nstopped"));

    public void Stop(string container) => System.IO.File.AppendAllText(Path.Combine(Bin, "containers", container), "\nstopped");

    public void Remove(string container) => System.IO.File.Delete(Path.Combine(Bin, "containers", container));

    public MemoryClusterApi Api(string cluster)
    {
        lock (_apis) return _apis.TryGetValue(cluster, out var api) ? api : _apis[cluster] = new MemoryClusterApi(cluster);
    }

    public static MeshTopology Topology(params string[] names) => new()
    {
        Provider = ProviderChoice.Kind,
        Clusters = [.. names.Select(name => new ClusterSpec { Name = ClusterName.Parse(name) })],
        Kind = new KindSpec { NodeImage = "kindest/node:v1.35.0", LoadBalancer = new LoadBalancerSpec { Kind = LoadBalancerKind.None } },
    };

    /// <summary>Part of a route that every node rejects; null if all are accepted.</summary>
    public string? RefusedRoute { get; set; }

    public KindSession Run(Func<RunSpec, RunSpec>? change = null)
    {
        var tools = Substitute.For<IToolLocator>();
        tools.Resolve(Arg.Any<IEnumerable<string>>()).Returns(new FilePath(Path.Combine(Bin, "kind")));
        var host = new ToolHost(new FileSystem(), new CakeEnvironment(new CakePlatform(), new CakeRuntime()), tools, TimeProvider.System);
        var run = new RunSpec { WorkDirectory = _scratch.File("mesh"), KubeconfigDirectory = _scratch.File("mesh/kubeconfig"), ArtifactsDirectory = _scratch.File("mesh/artifacts") };
        return new KindSession
        {
            Engine = this,
            Kind = new KindTool(host, ContainerEngineChoice.Docker),
            ReadAsync = ReadAsync,
            Connect = access =>
            {
                var api = Api(access.Name.Value);
                lock (api) foreach (var container in Containers().Where(c => c.KindCluster == access.Name.Value)) Know(api, container.Name);
                return api;
            },
            Run = change?.Invoke(run) ?? run,
            Progress = new Synchronous(Steps),
            Warn = Warnings.Add,
        };
    }

    public Task<EngineSnapshot> ReadAsync(CancellationToken cancellationToken) => Task.FromResult(new EngineSnapshot
    {
        Info = new EngineInfo { Engine = ContainerEngineChoice.Docker, Version = "28.2.2", Architecture = "amd64", Processors = 4, Memory = 16L << 30 },
        Networks = [.. Networks],
        Containers = Containers(),
        KindVersion = "0.31.0",
    });

    public Task<IReadOnlyList<EngineNetwork>> ReadNetworksAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<EngineNetwork>>([.. Networks]);

    public Task<IReadOnlyList<EngineContainer>> ReadContainersAsync(CancellationToken cancellationToken) => Task.FromResult(Containers());

    public Task<EngineImage?> ReadImageAsync(string image, CancellationToken cancellationToken) =>
        Task.FromResult(Images.Contains(image) ? new EngineImage { Id = "sha256:1", Architecture = "amd64" } : null);

    public Task PullAsync(string image, CancellationToken cancellationToken)
    {
        Commands.Add($"pull {image}");
        throw new MeshTrustException(Stage.ClusterCreation, new Problem("MT2210", "docker",
            "It failed.",
            "See."), new ToolFailedException(new ProcessResult(1, "", "toomanyrequests: You have reached your pull rate limit.")));
    }

    public Task LoadAsync(string archive, CancellationToken cancellationToken)
    {
        Commands.Add($"load {Path.GetFileName(archive)}");
        Images.Add(Path.GetFileNameWithoutExtension(archive).Replace('_', ':').Replace('+', '/'));
        return Task.CompletedTask;
    }

    public Task CreateNetworkAsync(string name, IReadOnlyList<IPNetwork> subnets, IPNetwork? ipRange, CancellationToken cancellationToken)
    {
        Commands.Add($"network create {name}");
        Networks.Add(new EngineNetwork { Id = "n1", Name = name, Subnets = [new EngineSubnet { Range = IPNetwork.Parse("172.18.0.0/16"), Gateway = IPAddress.Parse("172.18.0.1") }], Labels = new Dictionary<string, string> { [IContainerEngine.MadeLabel] = "true" } });
        return Task.CompletedTask;
    }

    public Task RemoveNetworkAsync(string id, CancellationToken cancellationToken)
    {
        Commands.Add($"network rm {id}");
        Networks.RemoveAll(network => network.Id == id);
        return Task.CompletedTask;
    }

    public Task<string> ReadLogAsync(string container, CancellationToken cancellationToken) => Task.FromResult($"log of {container}\n");

    public Task StartAsync(IReadOnlyList<string> containers, CancellationToken cancellationToken)
    {
        foreach (var container in containers)
        {
            Commands.Add($"start {container}");
            var file = Path.Combine(Bin, "containers", container);
            System.IO.File.WriteAllText(file, System.IO.File.ReadAllLines(file)[0]);
        }

        return Task.CompletedTask;
    }

    public Task<ProcessResult> ExecuteAsync(string container, IReadOnlyList<string> command, string? input, CancellationToken cancellationToken)
    {
        lock (Commands)
        {
            Commands.Add($"{container}: {string.Join(' ', command)}");
            if (input is not null) Inputs.Add($"{container}: {input}");
        }

        if (command[0] == "ip")
        {
            var asked = input ?? string.Join(' ', command);
            lock (Commands) Commands.AddRange(asked.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => $"{container} asked: {line}"));
            var refuses = RefusedRoute is { } route && asked.Contains(route, StringComparison.Ordinal);
            return Task.FromResult(new ProcessResult(refuses ? 2 : 0, "", refuses ? "RTNETLINK answers: Network is unreachable\n" : ""));
        }

        if (command[0] == "df") return Task.FromResult(new ProcessResult(Free is null ? 1 : 0, $"     Avail\n{Free}\n", ""));
        if (command[0] == "kubectl") return Task.FromResult(new ProcessResult(Kubectl(container) is null ? 1 : 0, Kubectl(container) ?? "", ""));
        if (command.Any(part => part.StartsWith("/etc/kubernetes/manifests/", StringComparison.Ordinal))) return Task.FromResult(new ProcessResult(0, Manifests(container), ""));
        return Task.FromResult(new ProcessResult(0, "config_path = \"/etc/containerd/certs.d\"", ""));
    }

    public void Dispose() => _scratch.Dispose();

    private IReadOnlyList<EngineContainer> Containers() =>
    [
        .. Directory.EnumerateFiles(Path.Combine(Bin, "containers")).Order(StringComparer.Ordinal).Select((file, i) =>
        {
            var (lines, name) = (System.IO.File.ReadAllLines(file), Path.GetFileName(file));
            var role = name.EndsWith("-external-load-balancer", StringComparison.Ordinal) ? "external-load-balancer" : "control-plane";
            return new EngineContainer
            {
                Id = lines.Length > 0 ? lines[0] : "",
                Name = name,
                Image = "kindest/node:v1.35.0",
                IsRunning = lines.Length < 2,
                Created = System.IO.File.GetCreationTimeUtc(file),
                Labels = new Dictionary<string, string> { ["io.x-k8s.kind.cluster"] = name[..name.IndexOf("-" + role, StringComparison.Ordinal)], ["io.x-k8s.kind.role"] = role },
                Addresses = new Dictionary<string, IReadOnlyList<IPAddress>> { ["kind"] = [IPAddress.Parse($"172.18.0.{i + 2}")] },
                Ports = [new PublishedPort("127.0.0.1", 41000, 6443)],
            };
        }),
    ];

    private void Know(MemoryClusterApi api, string node)
    {
        api.Objects[new ObjectReference("v1", "serviceaccounts", "default", "default")] = [];
        api.Objects[new ObjectReference("v1", "nodes", null, node)] = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = node },
            ["spec"] = new JsonObject { ["podCIDRs"] = new JsonArray("10.10.0.0/24") },
            ["status"] = new JsonObject
            {
                ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Ready", ["status"] = IsReady(node) ? "True" : "False", ["message"] = "the network is not there yet" }),
                ["nodeInfo"] = new JsonObject { ["kubeletVersion"] = "v1.35.0" },
            },
        };
    }

    private sealed class Synchronous(List<ClusterProgress> steps) : IProgress<ClusterProgress>
    {
        public void Report(ClusterProgress value)
        {
            lock (steps) steps.Add(value);
        }
    }
}
