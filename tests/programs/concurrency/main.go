// Command concurrency uses the scheduler: goroutines, channels, select, timers, contexts, locks, pools, finalizers.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"weak"
)

type job struct {
	id     int
	result chan<- int
}

func worker(ctx context.Context, jobs <-chan job, done *sync.WaitGroup) {
	defer done.Done()
	for {
		select {
		case next, open := <-jobs:
			if !open {
				return
			}
			next.result <- next.id * next.id
		case <-ctx.Done():
			return
		}
	}
}

func primes(limit int) (count int) {
	source := make(chan int)
	go func() {
		for number := 2; ; number++ {
			source <- number
		}
	}()
	var in <-chan int = source
	for {
		prime := <-in
		if prime > limit {
			return count
		}
		count++
		out := make(chan int)
		go func(in <-chan int) {
			for number := range in {
				if number%prime != 0 {
					out <- number
				}
			}
		}(in)
		in = out
	}
}

func check(ok bool, what string) {
	if !ok {
		fmt.Println("failed:", what)
		os.Exit(1)
	}
}

func main() {
	ctx, cancel := context.WithTimeoutCause(context.Background(), time.Minute, errors.New("too slow"))
	defer cancel()
	jobs := make(chan job)
	results := make(chan int, 100)
	var done sync.WaitGroup
	for range 8 {
		done.Add(1)
		go worker(ctx, jobs, &done)
	}
	for id := range 100 {
		jobs <- job{id, results}
	}
	close(jobs)
	done.Wait()
	close(results)
	sum := 0
	for result := range results {
		sum += result
	}
	check(sum == 328350, "sum of squares")
	check(primes(200) == 46, "primes")

	var counter atomic.Int64
	var lock sync.RWMutex
	table := map[int]int{}
	var group sync.WaitGroup
	for index := range 50 {
		group.Add(1)
		go func() {
			defer group.Done()
			counter.Add(1)
			lock.Lock()
			table[index%5]++
			lock.Unlock()
			runtime.Gosched()
		}()
	}
	group.Wait()
	check(counter.Load() == 50 && table[3] == 10, "counters")

	once := sync.OnceValue(func() int { return int(counter.Add(1)) })
	check(once() == once(), "once")

	timer := time.AfterFunc(time.Hour, func() { panic("never") })
	check(timer.Stop(), "timer")
	ticker := time.NewTicker(time.Millisecond)
	<-ticker.C
	ticker.Stop()

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	check(syscall.Kill(os.Getpid(), syscall.SIGUSR1) == nil && <-signals == syscall.SIGUSR1, "signal")

	big := new([1 << 16]byte)
	pointer := weak.Make(big)
	cleaned := make(chan int, 1)
	runtime.AddCleanup(big, func(value int) { cleaned <- value }, 42)
	check(pointer.Value() == big, "weak pointer")
	big = nil
	for range 20 {
		runtime.GC()
	}
	check(<-cleaned == 42 && pointer.Value() == nil, "cleanup")

	_, stop := context.WithCancel(ctx)
	stop()
	fmt.Println("concurrency ok", sum, context.Cause(ctx))
}
