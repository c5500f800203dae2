// Command server is a web server that tests itself: net/http, encoding/json, html/template and reflection keep much of
// the standard library, and many methods, alive. It listens on a loopback port, asks itself, prints what it got and exits.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/rpc"
	"os"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	texttemplate "text/template"
	"time"
)

// Version is set by -X in some tests.
var Version = "none"

// Item is what the server stores and shows.
type Item struct {
	ID      int               `json:"id" xml:"id,attr"`
	Name    string            `json:"name" xml:"name"`
	Price   float64           `json:"price,omitempty" xml:"price"`
	Tags    []string          `json:"tags" xml:"tags>tag"`
	Attr    map[string]string `json:"attr,omitempty" xml:"-"`
	Created time.Time         `json:"created" xml:"created"`
}

// Label is called by the template, that is, by reflection only.
func (i Item) Label() string { return fmt.Sprintf("#%d %s", i.ID, strings.ToUpper(i.Name)) }

// Discount is called by name in describe.
func (i Item) Discount(percent int) float64 { return i.Price * float64(100-percent) / 100 }

// Store is a locked map of items, and an RPC service.
type Store struct {
	mu    sync.RWMutex
	items map[int]Item
}

// Get is the RPC method.
func (s *Store) Get(id int, reply *Item) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	item, ok := s.items[id]
	if !ok {
		return fmt.Errorf("item %d: %w", id, errMissing)
	}
	*reply = item
	return nil
}

// Put adds an item.
func (s *Store) Put(item Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items[item.ID] = item
}

func (s *Store) all() []Item {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]Item, 0, len(s.items))
	for _, item := range s.items {
		list = append(list, item)
	}
	sort.Slice(list, func(a, b int) bool { return list[a].ID < list[b].ID })
	return list
}

var errMissing = errors.New("no such item")

var page = template.Must(template.New("page").Funcs(template.FuncMap{"join": strings.Join}).Parse(
	`<!doctype html><title>{{.Title}}</title><ul>{{range .Items}}<li class="{{.Name}}">{{.Label}} {{printf "%.2f" (.Discount 10)}} <a href="/item?id={{.ID}}">{{join .Tags ", "}}</a></li>{{else}}nothing{{end}}</ul><script>var x = {{.Items}};</script>`))

var plain = texttemplate.Must(texttemplate.New("plain").Parse("{{range .}}{{.Label}}\n{{end}}"))

func (s *Store) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(s.all()); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("POST /items", func(w http.ResponseWriter, r *http.Request) {
		var item Item
		if err := json.NewDecoder(r.Body).Decode(&item); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.Put(item)
		w.WriteHeader(http.StatusCreated)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		_ = page.Execute(w, map[string]any{"Title": "Items & <things>", "Items": s.all()})
	})
	mux.HandleFunc("GET /plain", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zip := gzip.NewWriter(w)
		_ = plain.Execute(zip, s.all())
		_ = zip.Close()
	})
	return mux
}

// describe prints a type the way only reflection can.
func describe(w io.Writer, value any) {
	t := reflect.TypeOf(value)
	fmt.Fprintf(w, "%v: kind %v, %d fields, methods", t, t.Kind(), t.NumField())
	for index := range t.NumMethod() {
		fmt.Fprintf(w, " %s%v", t.Method(index).Name, t.Method(index).Type)
	}
	fmt.Fprintln(w)
	name := strings.Join([]string{"Dis", "count"}, "")
	result := reflect.ValueOf(value).MethodByName(name).Call([]reflect.Value{reflect.ValueOf(50)})
	fmt.Fprintln(w, name, result[0].Float())
	built := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.TypeFor[int]()}})).Elem()
	built.Field(0).SetInt(7)
	fmt.Fprintf(w, "%+v\n", built.Interface())
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func get(client *http.Client, url string) string {
	response, err := client.Get(url)
	check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	check(err)
	return fmt.Sprintf("%d %s", response.StatusCode, bytes.TrimSpace(body))
}

func main() {
	address := flag.String("listen", "127.0.0.1:0", "address to listen on")
	forever := flag.Bool("serve", false, "go on after the self-test")
	flag.Parse()

	store := &Store{items: map[int]Item{}}
	date := time.Date(2020, 2, 29, 12, 30, 0, 0, time.UTC)
	for id, name := range []string{"tea", "coffee", "water & ice"} {
		store.Put(Item{ID: id, Name: name, Price: 1.5 * float64(id+1), Tags: []string{"drink", name[:2]}, Created: date})
	}

	listener, err := net.Listen("tcp", *address)
	check(err)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	server := &http.Server{Handler: store.routes(), ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelInfo)}
	go func() { _ = server.Serve(listener) }()
	base := "http://" + listener.Addr().String()

	client := &http.Client{Timeout: 10 * time.Second}
	body, err := json.Marshal(Item{ID: 9, Name: "milk", Attr: map[string]string{"fat": "3.5%"}, Created: date})
	check(err)
	response, err := client.Post(base+"/items", "application/json", bytes.NewReader(body))
	check(err)
	response.Body.Close()
	fmt.Println(response.StatusCode)
	for _, path := range []string{"/items", "/", "/plain", "/nowhere"} {
		fmt.Println(path, get(client, base+path))
	}

	// The same over TLS with the test certificate.
	secure := httptest.NewTLSServer(store.routes())
	answer := get(secure.Client(), secure.URL+"/items")
	sum := sha256.Sum256([]byte(answer))
	fmt.Println("tls", tls.VersionName(tls.VersionTLS13), hex.EncodeToString(sum[:8]))
	secure.Close()

	// RPC, gob and XML: more users of method tables.
	service := rpc.NewServer()
	check(service.Register(store))
	left, right := net.Pipe()
	go service.ServeConn(left)
	caller := rpc.NewClient(right)
	var item Item
	check(caller.Call("Store.Get", 1, &item))
	fmt.Println(item.Label())
	fmt.Println(caller.Call("Store.Get", 100, &item))
	check(caller.Close())

	var packed bytes.Buffer
	check(gob.NewEncoder(&packed).Encode(store.all()))
	var unpacked []Item
	check(gob.NewDecoder(&packed).Decode(&unpacked))
	fmt.Println("gob", len(unpacked), slices.ContainsFunc(unpacked, func(i Item) bool { return i.Name == "tea" }))
	text, err := xml.MarshalIndent(unpacked[0], "", " ")
	check(err)
	fmt.Println(regexp.MustCompile(`\s+`).ReplaceAllString(string(text), " "))

	describe(os.Stdout, item)
	fmt.Println("version", Version)
	if *forever {
		fmt.Println("serving on", base)
		select {}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	check(server.Shutdown(ctx))
	fmt.Println("ok")
}
