using System.Globalization;
using System.Text;
using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;

namespace MeshTrust.Tests.Cake;

/// <summary>A host in this process with explicitly registered tasks, and what happened in it.</summary>
internal sealed class FrostingHostFixture
{
    private readonly List<Action<IServiceCollection>> _services = [];
    private readonly StringBuilder _ansi = new();

    public FakeConsole Console { get; } = new();

    /// <summary>What was written to the console of the host, or to that of Spectre.Console, which the package takes for descriptions.</summary>
    public string Shown => Console.Output + _ansi;

    public FakeLog Log { get; } = new();

    /// <summary>What tasks and lifetimes recorded, in order; they get it by injection.</summary>
    public List<string> Notes { get; } = [];

    public FrostingHostFixture With<TTask>()
        where TTask : class, IFrostingTask => Configure(services => services.AddSingleton<IFrostingTask, TTask>());

    public FrostingHostFixture Configure(Action<IServiceCollection> configure)
    {
        _services.Add(configure);
        return this;
    }

    public int Run(params string[] args) => Run(new CakeHost(), args);

    public int Run(CakeHost host, params string[] args)
    {
        var ansi = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(new StringWriter(_ansi, CultureInfo.InvariantCulture)) });
        host.ConfigureServices(services => services.AddSingleton<IConsole>(Console).AddSingleton(ansi).AddSingleton<ICakeLog>(Log).AddSingleton(Notes));
        foreach (var configure in _services) host.ConfigureServices(configure);
        return host.Run(args);
    }
}
