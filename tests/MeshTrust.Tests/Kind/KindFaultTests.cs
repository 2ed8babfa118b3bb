using MeshTrust.Kind;

namespace MeshTrust.Tests.Kind;

public sealed class KindFaultTests
{
    [TestCase("ERROR: failed to create cluster: node(s) already exist for a cluster with the name \"c1\"", "MT2306", false)]
    [TestCase("ERROR: failed to create cluster: failed to lock config file: open /w/kubeconfig/c1.lock: file exists", "MT2307", true)]
    [TestCase("ERROR: failed to create cluster: could not find a log line that matches \"Reached target .*Multi-User System.*|detected cgroup v1\"", "MT2308", false)]
    [TestCase("ERROR: failed to create cluster: failed to pull image \"kindest/node\"\nCommand Output: Error response from daemon: toomanyrequests: You have reached your pull rate limit.", "MT2309", false)]
    [TestCase("ERROR: failed to create cluster: failed to pull image \"kindest/node:v9\"\nCommand Output: manifest unknown", "MT2409", false)]
    [TestCase("ERROR: failed to create cluster: failed to ensure docker network: command \"docker network create\" failed\nCommand Output: Error response from daemon: could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network", "MT2310", false)]
    [TestCase("ERROR: failed to create cluster: command \"docker run\" failed\nCommand Output: driver failed programming external connectivity: Bind for 127.0.0.1:40001 failed: port is already allocated.", "MT2311", true)]
    [TestCase("Command Output: Ports are not available: exposing port TCP 127.0.0.1:6443", "MT2311", true)]
    [TestCase("ERROR: failed to create cluster: network kind is ambiguous (2 matches found on name)", "MT2312", false)]
    [TestCase("ERROR: failed to ensure docker network: command \"docker network create\"\nCommand Output: Error response from daemon: Pool overlaps with other one on this address space", "MT2313", true)]
    [TestCase("ERROR: Error response from daemon: network with name kind already exists", "MT2313", true)]
    [TestCase("ERROR: failed to list clusters\nCommand Output: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", "MT2314", false)]
    [TestCase("Command Output: permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock", "MT2314", false)]
    [TestCase("ERROR: failed to create cluster: unable to decode config: yaml: unmarshal errors:\n  line 3: field color not found: unknown field \"color\"", "MT2315", false)]
    [TestCase("ERROR: failed to create cluster: failed to init node with kubeadm: command \"docker exec\" failed\nCommand Output: error execution phase wait-control-plane: timed out waiting for the condition", "MT2317", true)]
    [TestCase("ERROR: failed to create cluster: failed to init node with kubeadm: command failed\nCommand Output: unable to parse extra args", "MT2317", false)]
    [TestCase("ERROR: failed to create cluster: failed to init node with kubeadm: command failed\nCommand Output: W1 strict decoding error: unknown field \"a\"\n[ERROR Port-6443]: address already in use\ntimed out waiting for the condition", "MT2317", true)]
    [TestCase("ERROR: failed to join node with kubeadm: command failed\nCommand Output: write /x: no space left on device", "MT2319", false)]
    [TestCase("ERROR: failed to create cluster: failed to pull image \"kindest/node\"\nCommand Output: Get https://registry/v2/: net/http: TLS handshake timeout", "MT2409", true)]
    [TestCase("Command Output: write /var/lib/docker/tmp: no space left on device", "MT2319", false)]
    [TestCase("ERROR: failed to create cluster: the moon is in the way", "MT2305", false)]
    [TestCase("", "MT2305", false)]
    public void Classifies_errors_of_kind(string error, string id, bool isPassing)
    {
        var fault = KindFault.Of("c1", error);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(fault.Problem.Id, Is.EqualTo(id));
            Assert.That(fault.Problem.Location, Is.EqualTo("c1"));
            Assert.That(fault.IsPassing, Is.EqualTo(isPassing));
        }
    }

    [Test]
    public void Quotes_the_reason_in_one_line_without_colour() =>
        Assert.That(KindFault.Of("c1", "Creating cluster \"c1\" ...\r\n \u001b[31m✗\u001b[0m Preparing nodes\r\nDeleted nodes: [\"c1-control-plane\"]\r\n\u001b[31mERROR: failed to create cluster: \u001b[0mthe moon\r\nCommand Output: is in the way\r\n").Problem.Message,
            Is.EqualTo("kind failed for an unrecognized reason: failed to create cluster: the moon (is in the way)."));

    [Test]
    public void Quotes_the_error_line_of_a_long_output() =>
        Assert.That(KindFault.Of("c1", "ERROR: failed to create cluster: failed to init node with kubeadm: exit status 1\nCommand Output: I1126 12:00:00 initconfiguration.go:255] loading\n[init] Using Kubernetes version: v1.35.0\nerror execution phase wait-control-plane: timed out waiting for the condition\nTo see the stack trace\n").Problem.Message,
            Does.EndWith("failed to init node with kubeadm: exit status 1 (error execution phase wait-control-plane: timed out waiting for the condition)."));

    [TestCase("failed to resolve reference: dial tcp: lookup registry-1.docker.io on 127.0.0.11:53: no such host")]
    [TestCase("Get \"https://registry-1.docker.io/v2/\": net/http: request canceled while waiting for connection (Client.Timeout exceeded)")]
    public void Quotes_the_complete_cause_of_a_failed_pull(string cause)
    {
        var image = "kindest/node:v1.37.0@sha256:" + new string('a', 64);
        var error = $"ERROR: failed to create cluster: failed to pull image \"{image}\": command \"docker pull {image}\" failed with error: exit status 1\n";
        foreach (var output in (string[])[$"Command Output: Error response from daemon: {cause}", $"Command Output: docker.io/{image}: Pulling\nError response from daemon: {cause}"])
        {
            var problem = KindFault.Of("c1", error + output).Problem;
            Assert.That(problem.Id, Is.EqualTo("MT2409"));
            Assert.That(problem.Message, Does.EndWith($" (Error response from daemon: {cause})."));
        }
    }

    [Test]
    public void Quotes_no_stack_trace_if_the_reason_is_lost() =>
        Assert.That(KindFault.Of("c1", "error execution phase wait-control-plane\nk8s.io/kubernetes/cmd/kubeadm/app.Run\n\truntime/asm_amd64.s:1594\n").Problem.Message, Does.EndWith("error execution phase wait-control-plane."));

    [Test]
    public void Truncates_long_text() => Assert.That(KindFault.Of("c1", "ERROR: " + new string('x', 5000)).Problem.Message, Has.Length.LessThan(400));
}
