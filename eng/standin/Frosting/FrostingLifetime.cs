using Cake.Core;

namespace Cake.Frosting;

/// <summary>Prepares and ends a run. For any context.</summary>
public abstract class FrostingLifetime : FrostingLifetime<ICakeContext>
{
}

/// <summary>Prepares and ends a run.</summary>
/// <typeparam name="TContext">The context that it needs.</typeparam>
public abstract class FrostingLifetime<TContext> : IFrostingLifetime
    where TContext : ICakeContext
{
    /// <summary>Called before the first task.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">What will run.</param>
    public abstract void Setup(TContext context, ISetupContext info);

    /// <summary>Called after the last task, also when one failed.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">How the run went; it holds the exception that a task threw.</param>
    public abstract void Teardown(TContext context, ITeardownContext info);

    void IFrostingSetup.Setup(ICakeContext context, ISetupContext info) => Setup((TContext)context, info);

    void IFrostingTeardown.Teardown(ICakeContext context, ITeardownContext info) => Teardown((TContext)context, info);
}

/// <summary>Prepares a run. For any context.</summary>
public abstract class FrostingSetup : FrostingSetup<ICakeContext>
{
}

/// <summary>Prepares a run.</summary>
/// <typeparam name="TContext">The context that it needs.</typeparam>
public abstract class FrostingSetup<TContext> : IFrostingSetup
    where TContext : ICakeContext
{
    /// <summary>Called before the first task.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">What will run.</param>
    public abstract void Setup(TContext context, ISetupContext info);

    void IFrostingSetup.Setup(ICakeContext context, ISetupContext info) => Setup((TContext)context, info);
}

/// <summary>Ends a run. For any context.</summary>
public abstract class FrostingTeardown : FrostingTeardown<ICakeContext>
{
}

/// <summary>Ends a run.</summary>
/// <typeparam name="TContext">The context that it needs.</typeparam>
public abstract class FrostingTeardown<TContext> : IFrostingTeardown
    where TContext : ICakeContext
{
    /// <summary>Called after the last task, also when one failed.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">How the run went; it holds the exception that a task threw.</param>
    public abstract void Teardown(TContext context, ITeardownContext info);

    void IFrostingTeardown.Teardown(ICakeContext context, ITeardownContext info) => Teardown((TContext)context, info);
}

/// <summary>Prepares and ends each task. For any context.</summary>
public abstract class FrostingTaskLifetime : FrostingTaskLifetime<ICakeContext>
{
}

/// <summary>Prepares and ends each task.</summary>
/// <typeparam name="TContext">The context that it needs.</typeparam>
public abstract class FrostingTaskLifetime<TContext> : IFrostingTaskLifetime
    where TContext : ICakeContext
{
    /// <summary>Called before each task.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">The task.</param>
    public abstract void Setup(TContext context, ITaskSetupContext info);

    /// <summary>Called after each task, also when it failed.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">The task and how it went.</param>
    public abstract void Teardown(TContext context, ITaskTeardownContext info);

    void IFrostingTaskSetup.Setup(ICakeContext context, ITaskSetupContext info) => Setup((TContext)context, info);

    void IFrostingTaskTeardown.Teardown(ICakeContext context, ITaskTeardownContext info) => Teardown((TContext)context, info);
}

/// <summary>Prepares each task. For any context.</summary>
public abstract class FrostingTaskSetup : FrostingTaskSetup<ICakeContext>
{
}

/// <summary>Prepares each task.</summary>
/// <typeparam name="TContext">The context that it needs.</typeparam>
public abstract class FrostingTaskSetup<TContext> : IFrostingTaskSetup
    where TContext : ICakeContext
{
    /// <summary>Called before each task.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">The task.</param>
    public abstract void Setup(TContext context, ITaskSetupContext info);

    void IFrostingTaskSetup.Setup(ICakeContext context, ITaskSetupContext info) => Setup((TContext)context, info);
}

/// <summary>Ends each task. For any context.</summary>
public abstract class FrostingTaskTeardown : FrostingTaskTeardown<ICakeContext>
{
}

/// <summary>Ends each task.</summary>
/// <typeparam name="TContext">The context that it needs.</typeparam>
public abstract class FrostingTaskTeardown<TContext> : IFrostingTaskTeardown
    where TContext : ICakeContext
{
    /// <summary>Called after each task, also when it failed.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">The task and how it went.</param>
    public abstract void Teardown(TContext context, ITaskTeardownContext info);

    void IFrostingTaskTeardown.Teardown(ICakeContext context, ITaskTeardownContext info) => Teardown((TContext)context, info);
}

/// <summary>Prepares and ends a run.</summary>
public interface IFrostingLifetime : IFrostingSetup, IFrostingTeardown
{
}

/// <summary>Prepares a run.</summary>
public interface IFrostingSetup
{
    /// <summary>Called before the first task.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">What will run.</param>
    void Setup(ICakeContext context, ISetupContext info);
}

/// <summary>Ends a run.</summary>
public interface IFrostingTeardown
{
    /// <summary>Called after the last task, also when one failed.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">How the run went; it holds the exception that a task threw.</param>
    void Teardown(ICakeContext context, ITeardownContext info);
}

/// <summary>Prepares and ends each task.</summary>
public interface IFrostingTaskLifetime : IFrostingTaskSetup, IFrostingTaskTeardown
{
}

/// <summary>Prepares each task.</summary>
public interface IFrostingTaskSetup
{
    /// <summary>Called before each task.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">The task.</param>
    void Setup(ICakeContext context, ITaskSetupContext info);
}

/// <summary>Ends each task.</summary>
public interface IFrostingTaskTeardown
{
    /// <summary>Called after each task, also when it failed.</summary>
    /// <param name="context">The context.</param>
    /// <param name="info">The task and how it went.</param>
    void Teardown(ICakeContext context, ITaskTeardownContext info);
}
